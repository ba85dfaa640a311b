// The client's side of one HTTP/2 connection (RFC 9113), bytes in, bytes out: frames, flow control,
// limits and strictness. It owns neither a socket nor content decoding, and gives no meaning to
// fields beyond framing.
#pragma once

#include "probes/wire/response_sink.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace sonde::probes::wire {

namespace http2 {
class Connection;
}  // namespace http2

using Http2State = ResponseState;

enum class Http2Error : std::uint8_t {
    none,
    not_http2,         // the first bytes are not the beginning of a SETTINGS frame
    header_too_large,  // of a response, of all interim responses together, or of the trailers
    malformed,         // a response against RFC 9113 section 8
    truncated,         // the connection ended before the response did
    reset,             // the server sent RST_STREAM
    goaway,            // the server sent GOAWAY, and did not answer before it
    flood,             // frames that make work and carry nothing
    protocol           // whatever else breaks RFC 9113 or RFC 7541
};

struct Http2Limits {
    /// Names, values and 32 bytes for each field (RFC 7541 section 4.1).
    std::uint32_t header_bytes = 64 * 1024;
};

struct Http2Field {
    std::string_view name;
    std::string_view value;
};

/// Views need to be valid during the call of Http2Client::request() only, but for that of the body.
struct Http2Request {
    std::string_view method;  // not CONNECT
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;  // with its query
    /// Names in any case. Left out are the fields that HTTP/2 forbids (section 8.2.2) and Host,
    /// which is `authority`. A content-length is sent only when it is among them.
    std::span<const Http2Field> fields;
    /// Stays valid until the response has ended or reset() is called.
    std::span<const char> body;
};

/// One connection and one request at a time on it; after a response the next request may follow.
/// Reusable: reset() begins another connection and keeps its own memory; what nghttp2 needs for a
/// connection is allocated anew. Not thread safe; at rest between calls (a sink must not call back
/// into it, what it throws comes out of feed()).
///
/// Flow control: the server may be ahead by 1 MiB of body. What the sink took is given back at
/// once, so a caller whose sink has work left (BodyDecoder::pending()) stops calling feed(): then
/// the kernel's buffers and these windows fill and the server waits.
class Http2Client {
public:
    explicit Http2Client(Http2Limits limits = {});
    Http2Client(Http2Client&&) noexcept;
    Http2Client& operator=(Http2Client&&) noexcept;
    ~Http2Client();

    /// Begins a new connection; its preface becomes output. The same for prior knowledge and ALPN.
    void reset();

    /// Begins a request; one that still runs is cancelled. `sink` lives until the response ended.
    /// On a connection that is not reusable() the request fails at once.
    void request(const Http2Request& request, ResponseSink& sink);

    /// Takes all of what was received, in any split. Also between requests, when servers send PING,
    /// SETTINGS or GOAWAY: that may end reusable(), but never changes a response that has ended.
    Http2State feed(std::span<const char> data);

    /// The server closed: a response that still runs has `failed`.
    Http2State finish();

    /// No more of a response that runs is wanted: it is `stopped`, and RST_STREAM becomes output.
    void cancel();

    /// What is to be sent, also after a failure (the reason, for the server). Valid until the next
    /// call of a member that is not const. At most some 128 KiB: a server that reads nothing but
    /// wants answers is a `flood`.
    [[nodiscard]] std::span<const char> output() const;

    [[nodiscard]] bool wants_write() const { return !output().empty(); }

    /// So many bytes of output() were sent. May bring more of the request's body.
    void sent(std::size_t bytes);

    /// Of the request that was begun last; `complete` when there was none.
    [[nodiscard]] Http2State state() const;
    [[nodiscard]] Http2Error error() const;
    /// One line without a final stop ("RST_STREAM with REFUSED_STREAM"); empty without an error.
    /// Valid until reset() or request().
    [[nodiscard]] std::string_view error_text() const;

    /// Whether the failure says that the server did nothing with the request, so that it may be
    /// repeated whatever its method (RFC 9113 section 8.7).
    [[nodiscard]] bool unprocessed() const;

    /// Whether another request() may follow on this connection.
    [[nodiscard]] bool reusable() const;

    /// Known from the end of the header on.
    [[nodiscard]] unsigned status() const;   // 0: not yet
    [[nodiscard]] unsigned version() const;  // 20; 0: not yet
    /// The content-length field; also of an answer to HEAD, which has no body.
    [[nodiscard]] std::optional<std::uint64_t> content_length() const;
    [[nodiscard]] unsigned interim_responses() const;
    [[nodiscard]] std::uint64_t body_bytes() const;  // given to the sink so far

private:
    std::unique_ptr<http2::Connection> connection_;
};

}  // namespace sonde::probes::wire

// HTTP/1.x responses, bytes in, events out: framing, limits and strictness (RFC 9112).
// It owns neither a socket nor content decoding, and gives no meaning to fields beyond framing.
#pragma once

#include "probes/wire/response_sink.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace sonde::probes::wire {

enum class Http1Error : std::uint8_t {
    none,
    not_http,          // the first bytes are not "HTTP/1."
    header_too_large,  // status line and fields, a chunk's line or the trailers
    malformed,         // whatever else breaks RFC 9112
    truncated          // the connection ended before the response did
};

struct Http1Limits {
    std::uint32_t header_bytes =
        64 * 1024;  // also of all interim responses together, and of trailers
};

/// Reusable: reset() begins another response and keeps the memory, so that a warm parser allocates
/// nothing. Not thread safe; at rest between calls (a sink must not call back into it).
class Http1Response {
public:
    explicit Http1Response(Http1Limits limits = {});
    Http1Response(Http1Response&&) noexcept;
    Http1Response& operator=(Http1Response&&) noexcept;
    ~Http1Response();

    /// Begins a new response. `head_request`: it has no body whatever its header says.
    void reset(bool head_request = false);

    struct Fed {
        std::size_t consumed;
        ResponseState state;
    };

    /// Takes bytes as they arrive, in any split, and keeps what it cannot use yet (a header of
    /// which a part arrived): the caller's buffer is free again after each call. In `header` and
    /// `body` everything was consumed; in `complete` the rest (data[consumed..]) was not part of
    /// this response; in `stopped` and `failed` the count means nothing. Calls after the end change
    /// nothing.
    Fed feed(std::span<const char> data, ResponseSink& sink);

    /// The peer closed: `complete` when the response was, or when its body reaches to the end of
    /// the connection; else `failed` with Http1Error::truncated.
    ResponseState finish(ResponseSink& sink);

    [[nodiscard]] ResponseState state() const;
    [[nodiscard]] Http1Error error() const;
    /// One line without a final stop ("bad chunk size", "header over 64 KiB"); empty without an
    /// error. Valid until reset().
    [[nodiscard]] std::string_view error_text() const;

    /// Known from the end of the header on.
    [[nodiscard]] unsigned status() const;   // 0: not yet
    [[nodiscard]] unsigned version() const;  // 10, 11; 0: not yet
    /// The Content-Length field; also of an answer to HEAD, which has no body.
    [[nodiscard]] std::optional<std::uint64_t> content_length() const;
    [[nodiscard]] bool chunked() const;
    [[nodiscard]] bool keep_alive() const;  // the connection may be used again once `complete`
    [[nodiscard]] unsigned interim_responses() const;
    [[nodiscard]] std::uint64_t body_bytes() const;  // given to the sink so far

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::probes::wire

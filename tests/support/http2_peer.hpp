// The server's side of an HTTP/2 connection over nghttp2, bytes in, bytes out, and frames made by
// hand for what nghttp2 would not send. It owns no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_session;

namespace sonde::tests {

using Http2Fields = std::vector<std::pair<std::string, std::string>>;

/// Each piece is a DATA frame of its own, or several when it is over 16 KiB.
struct Http2Reply {
    std::string status = "200";
    Http2Fields fields;
    std::vector<std::string> pieces;
    Http2Fields trailers;
};

/// What a client asked on one stream.
struct Http2Asked {
    std::int32_t stream = 0;
    Http2Fields fields;  // with the pseudo-header fields
    std::string body;
    bool ended = false;
    bool was_reset = false;
    std::uint32_t reset_code = 0;

    /// Empty when there is none.
    [[nodiscard]] std::string field(std::string_view name) const;
};

struct Http2PeerOptions {
    std::uint32_t initial_window = 65535;  // for what a client sends on a stream
    bool give_back = true;                 // the window, as bodies arrive
};

/// Not thread safe. Errors of nghttp2 throw std::runtime_error.
class Http2Peer {
public:
    explicit Http2Peer(Http2PeerOptions options = {});
    ~Http2Peer();
    Http2Peer(const Http2Peer&) = delete;
    Http2Peer& operator=(const Http2Peer&) = delete;

    /// Called when a request has come to its end, with its stream.
    std::function<void(Http2Peer&, std::int32_t)> on_request;
    /// Called when the header of one is complete.
    std::function<void(Http2Peer&, std::int32_t)> on_request_header;

    /// What the client sent, in any split.
    void feed(std::string_view bytes);
    /// What the client is to get; nothing is kept.
    [[nodiscard]] std::string take();

    void reply(std::int32_t stream, Http2Reply reply);
    void interim(std::int32_t stream, const std::string& status);
    void reset(std::int32_t stream, std::uint32_t code);
    void go_away(std::int32_t last_stream, std::uint32_t code, std::string_view debug);
    /// Bytes as they are, behind all that was said before.
    void raw(std::string_view bytes);

    [[nodiscard]] const std::vector<Http2Asked>& asked() const { return asked_; }

    /// How many bytes of bodies the client may send at once on the connection: what it gave back.
    [[nodiscard]] std::int32_t client_window(std::int32_t stream) const;

    /// Of the client's GOAWAY; -1: none came.
    [[nodiscard]] std::int64_t client_goaway() const { return client_goaway_; }

    struct Callbacks;

private:
    friend struct Callbacks;
    struct Sending;
    Http2Asked& find(std::int32_t stream);
    void drain();

    nghttp2_session* session_ = nullptr;
    std::vector<Http2Asked> asked_;
    std::map<std::int32_t, std::unique_ptr<Sending>> sending_;
    std::string output_;
    std::int64_t client_goaway_ = -1;
};

/// A frame by hand; `flags` and `type` as RFC 9113 section 6 has them.
[[nodiscard]] std::string http2_frame(std::uint8_t type,
                                      std::uint8_t flags,
                                      std::int32_t stream,
                                      std::string_view payload = {});

/// A header block by hand: literal fields that are neither indexed nor Huffman-coded (RFC 7541
/// section 6.2.2).
[[nodiscard]] std::string http2_block(const Http2Fields& fields);

}  // namespace sonde::tests

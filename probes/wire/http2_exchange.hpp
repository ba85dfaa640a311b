// What a server's frames mean for the one request that runs on an HTTP/2 connection: the events for
// the sink, the limits of one response and what is wrong with it. It knows no nghttp2 session.
#pragma once

#include "probes/wire/http2_client.hpp"
#include "probes/wire/response_sink.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sonde::probes::wire::http2 {

/// What Http2Client tells about a response.
struct Facts {
    Http2State state = Http2State::complete;
    Http2Error error = Http2Error::none;
    std::string error_text;
    unsigned status = 0;
    std::optional<std::uint64_t> content_length;
    unsigned interim_responses = 0;
    std::uint64_t body_bytes = 0;
    bool unprocessed = false;
};

/// "REFUSED_STREAM"; "error 0x1234" for a code that no RFC knows.
[[nodiscard]] std::string code_name(std::uint32_t code);

/// "PING".
[[nodiscard]] std::string_view frame_name(std::uint8_t type);

class Exchange {
public:
    explicit Exchange(Http2Limits limits) : limits_(limits) {}

    /// `to_head`: the answer has no body, whatever its header says.
    void begin(bool to_head, ResponseSink& sink);

    /// Before any request of a connection.
    void reset();

    [[nodiscard]] const Facts& facts() const { return facts_; }

    [[nodiscard]] bool running() const {
        return facts_.state == Http2State::header || facts_.state == Http2State::body;
    }

    /// What happens to a response that does not run any more changes nothing.
    void fail(Http2Error error, std::string text, bool unprocessed = false);
    void stop();

    /// The server is no longer there. `goaway`: what it had said before, if it was of an error.
    void disconnect(bool any_bytes, std::string_view goaway);

    /// nghttp2 has checked pseudo-header fields, names and values, and the order of the blocks.
    void on_field(std::string_view name, std::string_view value);
    void on_fields_end();
    void on_body(std::span<const char> piece);
    void on_end();

    /// nghttp2 refuses a field ("... name: [x], value: [y]"), or a block of them as a whole.
    void on_refused_field(std::string_view library_text);
    void on_refused_fields(bool end_stream);
    /// nghttp2 resets the stream, and told no reason: something is wrong with the body.
    void on_refused(std::uint32_t code);

private:
    void take_status(std::string_view value);
    bool within_limit(std::size_t name_size, std::size_t value_size);
    [[nodiscard]] std::string wrong_body() const;

    Http2Limits limits_;
    Facts facts_;
    ResponseSink* sink_ = nullptr;
    bool to_head_ = false;
    bool interim_ = false;
    std::size_t fields_size_ = 0;  // as RFC 7541 section 4.1 has it
};

}  // namespace sonde::probes::wire::http2

// Beast's parser with its events made ours, and what a monitor must refuse though Beast lets it
// pass. Included by http1_response.cpp only: Beast is slow to compile.
#pragma once

#include "probes/wire/http1_response.hpp"
#include "probes/wire/printable.hpp"
#include "probes/wire/response_sink.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::probes::wire::http1 {

namespace http = boost::beast::http;
using boost::system::error_code;
using BeastView = boost::beast::string_view;

/// What Http1Response tells about a response.
struct Facts {
    ResponseState state = ResponseState::header;
    Http1Error error = Http1Error::none;
    std::string error_text;
    unsigned status = 0;
    unsigned version = 0;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool keep_alive = false;
    unsigned interim_responses = 0;
    std::uint64_t body_bytes = 0;
};

[[nodiscard]] inline std::string explain(const error_code& error) {
    if (error == http::error::bad_line_ending) {
        return "bad line ending";
    }
    if (error == http::error::bad_version) {
        return "bad HTTP version in the status line";
    }
    if (error == http::error::bad_status) {
        return "bad status code";
    }
    if (error == http::error::bad_reason) {
        return "bad reason phrase in the status line";
    }
    if (error == http::error::bad_field) {
        return "bad field name in the header";
    }
    if (error == http::error::bad_value) {
        return "bad field value in the header";
    }
    if (error == http::error::bad_content_length) {
        return "bad Content-Length, or one beside Transfer-Encoding";
    }
    if (error == http::error::multiple_content_length) {
        return "several Content-Length fields that disagree";
    }
    if (error == http::error::bad_transfer_encoding) {
        return "repeated Transfer-Encoding, or one beside Content-Length";
    }
    if (error == http::error::bad_chunk) {
        return "bad chunk size";
    }
    if (error == http::error::bad_chunk_extension) {
        return "bad chunk extension";
    }
    return error.message();
}

// Beast's events made ours.
class Parser final : public http::basic_parser<false> {
public:
    explicit Parser(Facts& facts) : facts_(facts) {}

    ResponseSink* sink = nullptr;
    bool interim = false;
    bool stopped = false;
    bool header_done = false;
    std::uint64_t chunk_left = 0;  // 0: at the header of a chunk, where the body is chunked
    std::string refused;           // why a field of ours is malformed

private:
    void on_request_impl(http::verb, BeastView, BeastView, int, error_code&) override {}

    void on_response_impl(int code, BeastView reason, int version, error_code& error) override {
        if (code < 100) {
            error = http::error::bad_status;
            return;
        }
        // 101 ends HTTP on the connection, so it is a final answer (RFC 9110 section 15.2.2).
        interim = code < 200 && code != 101;
        version_ = static_cast<unsigned>(version);
        if (!interim) {
            facts_.status = static_cast<unsigned>(code);
            facts_.version = version_;
            sink->on_status(facts_.status, facts_.version, text_of(reason));
        }
    }

    void on_field_impl(http::field field,
                       BeastView name,
                       BeastView value,
                       error_code& error) override {
        if (header_done) {
            sink->on_trailer(text_of(name), text_of(value));
            return;
        }
        if (field == http::field::transfer_encoding && !check_transfer_encoding(text_of(value))) {
            error = http::error::bad_transfer_encoding;
            return;
        }
        if (!interim) {
            sink->on_field(text_of(name), text_of(value));
        }
    }

    // Beast takes any list of codings and reads what it does not know to the end of the connection.
    bool check_transfer_encoding(std::string_view value) {
        if (version_ < 11) {
            refused = "Transfer-Encoding in an HTTP/1.0 response";  // RFC 9112 section 6.1: faulty
                                                                    // framing
        } else if (!boost::beast::iequals({value.data(), value.size()}, "chunked")) {
            refused = "Transfer-Encoding other than chunked: \"" + printable(value) + '"';
        }
        return refused.empty();
    }

    void on_header_impl(error_code&) override {
        header_done = true;
        if (interim) {
            return;
        }
        facts_.content_length.reset();
        if (const auto length = content_length()) {
            facts_.content_length = *length;
        }
        facts_.chunked = chunked();
        facts_.keep_alive = keep_alive();
        facts_.state = ResponseState::body;
        sink->on_header_end();
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

    std::size_t on_body_impl(BeastView body, error_code& error) override {
        if (!body.empty()) {
            facts_.body_bytes += body.size();
            if (!sink->on_body({body.data(), body.size()})) {
                stopped = true;
                error = http::error::end_of_stream;
            }
        }
        return body.size();
    }

    void on_chunk_header_impl(std::uint64_t size, BeastView, error_code&) override {
        chunk_left = size;
    }

    std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code& error) override {
        chunk_left -= body.size();
        return on_body_impl(body, error);
    }

    void on_finish_impl(error_code&) override {}

    static std::string_view text_of(BeastView text) { return {text.data(), text.size()}; }

    Facts& facts_;
    unsigned version_ = 0;
};

}  // namespace sonde::probes::wire::http1

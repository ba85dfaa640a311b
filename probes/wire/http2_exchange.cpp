#include "probes/wire/http2_exchange.hpp"

#include "probes/wire/printable.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sonde::probes::wire::http2 {

namespace {

constexpr std::size_t field_overhead = 32;  // RFC 7541 section 4.1
constexpr std::size_t shown_name = 40;

std::string size_text(std::size_t bytes) {
    return bytes % 1024 == 0 ? std::to_string(bytes / 1024) + " KiB"
                             : std::to_string(bytes) + " bytes";
}

std::string_view without_blanks(std::string_view value) {
    constexpr std::string_view blanks = " \t";
    const auto first = value.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return value.substr(first, value.find_last_not_of(blanks) - first + 1);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end) {
        return std::nullopt;
    }
    return value;
}

std::string explain_field(std::string_view name) {
    constexpr std::array<std::string_view, 5> of_connection{
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
    const std::string shown = '"' + printable(name, shown_name) + '"';
    if (name == ":status") {
        return "bad, repeated or misplaced :status";
    }
    if (name.starts_with(':')) {
        return "pseudo-header field " + shown + " in a response";
    }
    if (std::ranges::any_of(name, [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return "field name in upper case: " + shown;
    }
    if (std::ranges::find(of_connection, name) != of_connection.end()) {
        return "field of a connection, which HTTP/2 does not have: " + shown;
    }
    if (name == "content-length") {
        return "bad, repeated or forbidden content-length";
    }
    return "bad name or value of the field " + shown;
}

}  // namespace

std::string code_name(std::uint32_t code) {
    if (code <= NGHTTP2_HTTP_1_1_REQUIRED) {
        return nghttp2_http2_strerror(code);
    }
    std::array<char, 8> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), code, 16).ptr;
    return "error 0x" + std::string{digits.data(), end};
}

std::string_view frame_name(std::uint8_t type) {
    constexpr std::array<std::string_view, 10> names{"DATA",
                                                     "HEADERS",
                                                     "PRIORITY",
                                                     "RST_STREAM",
                                                     "SETTINGS",
                                                     "PUSH_PROMISE",
                                                     "PING",
                                                     "GOAWAY",
                                                     "WINDOW_UPDATE",
                                                     "CONTINUATION"};
    return type < names.size() ? names[type] : "unknown";
}

void Exchange::begin(bool to_head, ResponseSink& sink) {
    reset();
    facts_.state = Http2State::header;
    sink_ = &sink;
    to_head_ = to_head;
}

void Exchange::reset() {
    facts_ = Facts{};
    sink_ = nullptr;
    interim_ = false;
    fields_size_ = 0;
}

void Exchange::fail(Http2Error error, std::string text, bool unprocessed) {
    if (running()) {
        facts_.state = Http2State::failed;
        facts_.error = error;
        facts_.error_text = std::move(text);
        facts_.unprocessed = unprocessed;
    }
}

void Exchange::stop() {
    if (running()) {
        facts_.state = Http2State::stopped;
    }
}

void Exchange::disconnect(bool any_bytes, std::string_view goaway) {
    if (!goaway.empty()) {
        fail(Http2Error::goaway, std::string{goaway});
    } else if (!any_bytes) {
        fail(Http2Error::truncated, "connection closed without an answer");
    } else if (facts_.state == Http2State::header) {
        fail(Http2Error::truncated, "connection closed before the end of the header");
    } else if (facts_.content_length && !to_head_) {
        fail(Http2Error::truncated,
             "connection closed after " + std::to_string(facts_.body_bytes) + " of " +
                 std::to_string(*facts_.content_length) + " bytes of the body");
    } else {
        fail(Http2Error::truncated,
             "connection closed inside the body, after " + std::to_string(facts_.body_bytes) +
                 " bytes");
    }
}

bool Exchange::within_limit(std::size_t name_size, std::size_t value_size) {
    fields_size_ += name_size + value_size + field_overhead;
    if (fields_size_ <= limits_.header_bytes) {
        return true;
    }
    const std::string_view what = facts_.state == Http2State::body ? "trailers"
                                  : interim_                       ? "interim responses"
                                                                   : "header";
    fail(Http2Error::header_too_large,
         std::string{what} + " over " + size_text(limits_.header_bytes));
    return false;
}

void Exchange::take_status(std::string_view value) {
    const auto status = static_cast<unsigned>(parse_number(value).value_or(0));
    if (status < 100) {
        fail(Http2Error::malformed, "bad status code");
        return;
    }
    interim_ = status < 200;
    if (!interim_) {
        facts_.status = status;
        sink_->on_status(status, 20, {});
    }
}

void Exchange::on_field(std::string_view name, std::string_view value) {
    if (!within_limit(name.size(), value.size())) {
        return;
    }
    const std::string_view bare = without_blanks(value);
    if (facts_.state == Http2State::body) {
        sink_->on_trailer(name, bare);
    } else if (name == ":status") {
        take_status(value);
    } else if (!interim_) {
        if (name == "content-length") {
            facts_.content_length = parse_number(bare);
        }
        sink_->on_field(name, bare);
    }
}

void Exchange::on_fields_end() {
    if (facts_.state != Http2State::header) {
        return;
    }
    if (interim_) {
        interim_ = false;
        ++facts_.interim_responses;
        return;
    }
    facts_.state = Http2State::body;
    fields_size_ = 0;
    sink_->on_header_end();
}

void Exchange::on_body(std::span<const char> piece) {
    facts_.body_bytes += piece.size();
    if (!sink_->on_body(piece)) {
        stop();
    }
}

void Exchange::on_end() {
    if (running()) {
        facts_.state = Http2State::complete;
    }
}

// The name stands only in the text that nghttp2 makes for people.
void Exchange::on_refused_field(std::string_view library_text) {
    constexpr std::string_view before = "name: [";
    const auto begin = std::min(library_text.find(before), library_text.size());
    const auto name = library_text.substr(std::min(begin + before.size(), library_text.size()));
    fail(Http2Error::malformed, explain_field(name.substr(0, name.find("], value: ["))));
}

void Exchange::on_refused_fields(bool end_stream) {
    if (facts_.state == Http2State::body && !end_stream) {
        fail(Http2Error::malformed, "header fields in the middle of the body");
    } else if (interim_) {
        fail(Http2Error::malformed, "interim response that ends the stream");
    } else if (facts_.status == 0) {
        fail(Http2Error::malformed, "no :status in the header");
    } else {
        fail(Http2Error::malformed, wrong_body());
    }
}

std::string Exchange::wrong_body() const {
    if (facts_.state == Http2State::header && facts_.status == 0) {
        return "body before the header";
    }
    if (to_head_ || facts_.status == 204 || facts_.status == 304) {
        return "body in an answer that has none";
    }
    return "the body has not the " + std::to_string(facts_.content_length.value_or(0)) +
           " bytes that content-length says";
}

void Exchange::on_refused(std::uint32_t code) {
    if (code == NGHTTP2_FLOW_CONTROL_ERROR) {
        fail(Http2Error::protocol, "more body than the flow control allows, or a window too large");
    } else {
        fail(Http2Error::malformed, wrong_body());
    }
}

}  // namespace sonde::probes::wire::http2

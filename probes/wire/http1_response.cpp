// The buffering between calls, the limits and the end of a response; the grammar is Beast's
// (http1_parser.hpp).
#include "probes/wire/http1_response.hpp"

#include "probes/wire/http1_parser.hpp"
#include "probes/wire/printable.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sonde::probes::wire {

namespace {

using boost::system::error_code;
using http1::explain;
using http1::Facts;
using http1::Parser;
namespace http = http1::http;

constexpr std::string_view http_prefix = "HTTP/1.";
// Only this much of the caller's bytes joins a kept piece at a time, so that the end of a split
// line does not drag a whole read through the buffer.
constexpr std::size_t join_step = 256;
constexpr std::size_t kept_capacity = 4096;
// boost/beast 1.81 asserts on fewer in parse_chunk_header() once it saw the last chunk's line; no
// message has fewer bytes left at that place ("0\r\n\r\n"), so waiting for them is safe.
constexpr std::size_t least_chunk_header = 5;

std::string size_text(std::size_t bytes) {
    return bytes % 1024 == 0 ? std::to_string(bytes / 1024) + " KiB"
                             : std::to_string(bytes) + " bytes";
}

}  // namespace

class Http1Response::Impl {
public:
    explicit Impl(Http1Limits limits) : limits_(limits) { reset(false); }

    void reset(bool head_request);
    Fed feed(std::span<const char> data, ResponseSink& sink);
    ResponseState finish(ResponseSink& sink);

    Facts facts;

private:
    [[nodiscard]] bool over() const {
        return facts.state != ResponseState::header && facts.state != ResponseState::body;
    }

    void begin_message();
    void fail(Http1Error reason, std::string text);
    void fail(const error_code& reason);
    bool check_prefix(std::string_view line);
    std::size_t take_status_line(std::string_view data);
    bool within_limit(std::size_t pending);
    std::size_t parse(std::string_view data);
    std::size_t parse_joined(std::string_view data);
    void end_message();
    [[nodiscard]] std::string truncation() const;

    Http1Limits limits_;
    bool head_request_ = false;
    bool any_bytes_ = false;
    bool status_line_taken_ = false;
    std::size_t header_used_ = 0;
    std::string kept_;  // unconsumed tail of what was fed
    std::optional<Parser> parser_;
};

void Http1Response::Impl::reset(bool head_request) {
    head_request_ = head_request;
    facts = Facts{};
    any_bytes_ = false;
    header_used_ = 0;
    kept_.clear();
    // One hostile answer must not leave 64 KiB behind in each of many pooled parsers.
    if (kept_.capacity() > kept_capacity) {
        kept_.shrink_to_fit();
    }
    begin_message();
}

void Http1Response::Impl::begin_message() {
    status_line_taken_ = false;
    parser_.emplace(facts);
    parser_->eager(true);
    parser_->skip(head_request_);
    parser_->body_limit(boost::none);
    parser_->header_limit(limits_.header_bytes);
}

void Http1Response::Impl::fail(Http1Error reason, std::string text) {
    facts.state = ResponseState::failed;
    facts.error = reason;
    facts.error_text = std::move(text);
    facts.keep_alive = false;
}

void Http1Response::Impl::fail(const error_code& reason) {
    if (reason == http::error::header_limit) {
        fail(Http1Error::header_too_large, "header over " + size_text(limits_.header_bytes));
    } else if (!parser_->refused.empty()) {
        fail(Http1Error::malformed, std::move(parser_->refused));
    } else {
        fail(Http1Error::malformed, explain(reason));
    }
}

// Beast looks at a status line only when the whole header is there, which other protocols never
// send.
bool Http1Response::Impl::check_prefix(std::string_view line) {
    const auto length = std::min(line.size(), http_prefix.size());
    if (line.substr(0, length) == http_prefix.substr(0, length)) {
        return true;
    }
    fail(Http1Error::not_http, "not HTTP/1: the answer begins with \"" + printable(line) + '"');
    return false;
}

// The beginning of a message, until its first line is there; returns how many bytes went into
// kept_.
std::size_t Http1Response::Impl::take_status_line(std::string_view data) {
    constexpr std::size_t bare_length = std::string_view{"HTTP/1.1 200\r\n"}.size();
    const auto newline = data.find('\n');
    const bool ends = newline != std::string_view::npos;
    const auto piece = ends ? data.substr(0, newline + 1) : data;
    const auto length = kept_.size() + piece.size();
    std::size_t taken = 0;
    if (!kept_.empty() || !ends || length == bare_length) {
        if (!within_limit(length)) {
            return 0;
        }
        kept_.append(piece);
        taken = piece.size();
    }
    const std::string_view line = taken > 0 ? std::string_view{kept_} : piece;
    if (!check_prefix(line) || !ends) {
        return taken;
    }
    if (!line.ends_with("\r\n")) {
        fail(Http1Error::malformed, "bad line ending");  // Beast would wait for CRLF CRLF for ever
        return taken;
    }
    // "HTTP/1.1 200" without the blank that RFC 9112 section 4 demands before an empty reason:
    // servers send it and clients take it, Beast does not.
    if (length == bare_length) {
        kept_.insert(kept_.size() - 2, 1, ' ');
    }
    status_line_taken_ = true;
    return taken;
}

bool Http1Response::Impl::within_limit(std::size_t pending) {
    if (facts.state == ResponseState::header) {
        if (header_used_ + pending <= limits_.header_bytes) {
            return true;
        }
        fail(Http1Error::header_too_large, "header over " + size_text(limits_.header_bytes));
    } else {
        if (pending <= limits_.header_bytes) {
            return true;
        }
        fail(Http1Error::header_too_large,
             "chunk header or trailers over " + size_text(limits_.header_bytes));
    }
    return false;
}

// One step of Beast's parser; returns what it consumed.
std::size_t Http1Response::Impl::parse(std::string_view data) {
    const bool in_header = facts.state == ResponseState::header;
    if (!in_header && facts.chunked && parser_->chunk_left == 0 &&
        data.size() < least_chunk_header) {
        return 0;
    }
    error_code result;
    const auto consumed = parser_->put({data.data(), data.size()}, result);
    if (in_header) {
        header_used_ += consumed;
    }
    if (parser_->stopped) {
        facts.state = ResponseState::stopped;
    } else if (result && result != http::error::need_more) {
        fail(result);
    } else if (parser_->is_done()) {
        end_message();
    }
    return consumed;
}

void Http1Response::Impl::end_message() {
    if (!parser_->interim) {
        facts.state = ResponseState::complete;
        return;
    }
    ++facts.interim_responses;
    if (header_used_ < limits_.header_bytes) {
        begin_message();
        parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes - header_used_));
    } else {
        fail(Http1Error::header_too_large,
             "interim responses over " + size_text(limits_.header_bytes));
    }
}

// Continues a kept piece with the next bytes; returns how many of `data` were used.
std::size_t Http1Response::Impl::parse_joined(std::string_view data) {
    const auto old_size = kept_.size();
    const auto step = std::min(data.size(), join_step);
    kept_.append(data.substr(0, step));
    const auto consumed = parse(kept_);
    if (consumed >= old_size) {
        kept_.clear();
        return consumed - old_size;
    }
    kept_.erase(0, consumed);
    return step;
}

Http1Response::Fed Http1Response::Impl::feed(std::span<const char> data, ResponseSink& sink) {
    std::string_view rest{data.data(), data.size()};
    while (!over() && !rest.empty()) {
        any_bytes_ = true;
        parser_->sink = &sink;
        if (!status_line_taken_) {
            rest.remove_prefix(take_status_line(rest));
            continue;
        }
        if (!kept_.empty()) {
            rest.remove_prefix(parse_joined(rest));
        } else {
            rest.remove_prefix(parse(rest));
            if (!over() && status_line_taken_ && within_limit(rest.size())) {
                kept_.assign(rest);
                rest = {};
            }
        }
        if (!over()) {
            within_limit(kept_.size());
        }
    }
    return {data.size() - rest.size(), facts.state};
}

std::string Http1Response::Impl::truncation() const {
    if (!any_bytes_) {
        return "connection closed without an answer";
    }
    if (facts.state == ResponseState::header) {
        return "connection closed inside the header";
    }
    if (facts.content_length) {
        return "connection closed after " + std::to_string(facts.body_bytes) + " of " +
               std::to_string(*facts.content_length) + " bytes of the body";
    }
    return "connection closed inside the chunked body, after " + std::to_string(facts.body_bytes) +
           " bytes";
}

ResponseState Http1Response::Impl::finish(ResponseSink& sink) {
    if (over()) {
        return facts.state;
    }
    if (facts.state == ResponseState::body && !facts.content_length && !facts.chunked) {
        parser_->sink = &sink;
        error_code result;
        parser_->put_eof(result);
        facts.state = ResponseState::complete;
    } else {
        fail(Http1Error::truncated, truncation());
    }
    return facts.state;
}

Http1Response::Http1Response(Http1Limits limits) : impl_(std::make_unique<Impl>(limits)) {}

Http1Response::Http1Response(Http1Response&&) noexcept = default;
Http1Response& Http1Response::operator=(Http1Response&&) noexcept = default;
Http1Response::~Http1Response() = default;

void Http1Response::reset(bool head_request) {
    impl_->reset(head_request);
}

Http1Response::Fed Http1Response::feed(std::span<const char> data, ResponseSink& sink) {
    return impl_->feed(data, sink);
}

ResponseState Http1Response::finish(ResponseSink& sink) {
    return impl_->finish(sink);
}

ResponseState Http1Response::state() const {
    return impl_->facts.state;
}

Http1Error Http1Response::error() const {
    return impl_->facts.error;
}

std::string_view Http1Response::error_text() const {
    return impl_->facts.error_text;
}

unsigned Http1Response::status() const {
    return impl_->facts.status;
}

unsigned Http1Response::version() const {
    return impl_->facts.version;
}

std::optional<std::uint64_t> Http1Response::content_length() const {
    return impl_->facts.content_length;
}

bool Http1Response::chunked() const {
    return impl_->facts.chunked;
}

bool Http1Response::keep_alive() const {
    return impl_->facts.keep_alive;
}

unsigned Http1Response::interim_responses() const {
    return impl_->facts.interim_responses;
}

std::uint64_t Http1Response::body_bytes() const {
    return impl_->facts.body_bytes;
}

}  // namespace sonde::probes::wire

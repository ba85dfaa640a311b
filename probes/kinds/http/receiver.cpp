#include "probes/kinds/http/receiver.hpp"

#include "probes/kinds/http/field_text.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace sonde::probes::http {

namespace {

bool is_redirect(unsigned status) {
    constexpr std::array<unsigned, 5> codes{301, 302, 303, 307, 308};
    return std::ranges::find(codes, status) != codes.end();
}

/// RFC 9110 section 5.6.7, the preferred form ("Sun, 06 Nov 1994 08:49:37 GMT"); others are of
/// servers older than this protocol. strptime would do, were it not for its lock on the locale.
std::optional<std::int64_t> parse_http_date(std::string_view text) {
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    constexpr std::string_view form = "***, ** *** **** **:**:** GMT";
    const auto fits = [](char wanted, char c) {
        return wanted == '*' || wanted == c;
    };
    if (!std::ranges::equal(form, text, fits)) {
        return std::nullopt;
    }
    bool good = true;
    const auto number = [&](std::size_t at, std::size_t digits) {
        unsigned value = 0;
        const char* end = text.data() + at + digits;
        good = good && std::from_chars(text.data() + at, end, value).ptr == end;
        return value;
    };
    const std::size_t month = months.find(text.substr(8, 3));
    good = month != std::string_view::npos && month % 3 == 0;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(number(12, 4))},
                                           std::chrono::month{static_cast<unsigned>(month / 3 + 1)},
                                           std::chrono::day{number(5, 2)}};
    const std::int64_t seconds = number(17, 2) * 3600 + number(20, 2) * 60 + number(23, 2);
    if (!good || !date.ok()) {
        return std::nullopt;
    }
    return std::chrono::sys_seconds{std::chrono::sys_days{date}}.time_since_epoch().count() +
           seconds;
}

}  // namespace

void Receiver::start(const Spec& spec,
                     const RequestForm& request,
                     wire::Http2Client* http2,
                     Trace* trace) {
    http2_ = http2;
    spec_ = &spec;
    trace_ = trace;
    parser_.reset(request.method == "HEAD");
    status_ = version_ = 0;
    decoder_.reset(spec.max_body);
    matcher_.start(spec.expect.patterns, spec.content.max_extract_body);
    found_fields_.assign(spec.expect.headers.size(), false);
    location_.clear();
    set_cookies_.clear();
    start_content();
    last_modified_.reset();
    saw_anything_ = header_complete_ = redirect_ = surplus_ = false;
    keep_alive_ = request.keep_alive();
}

void Receiver::start_content() {
    const ContentSpec& content = spec_->content;
    kept_body_.clear();
    extracted_fields_.assign(content.extractions.size(), std::nullopt);
    if (content.needs_json()) {
        if (!json_) {
            json_ = std::make_unique<wire::JsonBody>();
        }
        json_->start(content.max_extract_body);
    }
    if (content.needs_hash()) {
        if (!hash_) {
            hash_ = std::make_unique<Sha256>();
        }
        hash_->start();
    }
}

void Receiver::shrink() {
    constexpr std::uint64_t most_kept = 64 * 1024;
    if (decoder_.decoded_bytes() > most_kept) {
        kept_body_ = {};
        json_.reset();
    }
}

Receiver::State Receiver::feed(std::span<const char> data) {
    if (http2_ != nullptr) {
        const wire::ResponseState state = http2_->feed(data);
        // What a server says of the connection is no part of a response.
        saw_anything_ = saw_anything_ || status_ != 0 || http2_->interim_responses() > 0 ||
                        state == wire::ResponseState::failed;
        return settle(state);
    }
    saw_anything_ = saw_anything_ || !data.empty();
    const auto [consumed, state] = parser_.feed(data, *this);
    surplus_ = state == wire::ResponseState::complete && consumed < data.size();
    return settle(state);
}

Receiver::State Receiver::resume() {
    const wire::DecodeState decoded = decoder_.resume(*this);
    return settle(decoded == wire::DecodeState::more ? parsed() : wire::ResponseState::stopped);
}

Receiver::State Receiver::finish() {
    return settle(http2_ != nullptr ? http2_->finish() : parser_.finish(*this));
}

wire::ResponseState Receiver::parsed() const {
    return http2_ != nullptr ? http2_->state() : parser_.state();
}

bool Receiver::leave_connection() {
    if (http2_ != nullptr) {
        if (parsed() == wire::ResponseState::body) {
            http2_->cancel();
        }
        return http2_->reusable();
    }
    return parsed() == wire::ResponseState::complete && parser_.keep_alive() && !surplus_;
}

bool Receiver::decided() const {
    return spec_->until_decided && !spec_->content.needs_all() && matcher_.decided() &&
           decoder_.decoded_bytes() >= spec_->expect.min_body;
}

Receiver::State Receiver::settle(wire::ResponseState state) {
    if (redirect_) {
        return State::redirect;
    }
    if (header_complete_ && decided() && state == wire::ResponseState::body) {
        return State::complete;
    }
    if (pending() && state != wire::ResponseState::failed) {
        return State::more;
    }
    switch (state) {
        case wire::ResponseState::header:
        case wire::ResponseState::body:
            return State::more;
        case wire::ResponseState::failed:
            return State::failed;
        case wire::ResponseState::stopped:
            return decoder_.state() == wire::DecodeState::failed ? State::failed : State::complete;
        case wire::ResponseState::complete:
            break;
    }
    if (decoder_.state() == wire::DecodeState::more &&
        decoder_.finish() == wire::DecodeState::failed) {
        return State::failed;
    }
    if (!decided()) {
        matcher_.finish();
    }
    if (spec_->content.needs_json()) {
        json_->finish();
    }
    return State::complete;
}

void Receiver::on_status(unsigned status, unsigned version, std::string_view) {
    status_ = status;
    version_ = version;
}

void Receiver::on_field(std::string_view name, std::string_view value) {
    if (is_same_field(name, "location")) {
        location_ = value;
    } else if (is_same_field(name, "content-encoding")) {
        decoder_.add_encoding(value);
    } else if (is_same_field(name, "set-cookie")) {
        if (spec_->cookies) {
            set_cookies_.emplace_back(value);
        }
    } else if (is_same_field(name, "last-modified")) {
        last_modified_ = parse_http_date(value);
    }
    take_field(name, value);
    for (std::size_t i = 0; i < spec_->expect.headers.size(); ++i) {
        const HeaderExpectation& expected = spec_->expect.headers[i];
        if (!found_fields_[i] && is_same_field(name, expected.lower_field)) {
            found_fields_[i] =
                !expected.pattern ||
                RE2::PartialMatch(re2::StringPiece{value.data(), value.size()}, *expected.pattern);
        }
    }
    if (trace_ != nullptr) {
        trace_->hop().headers.emplace_back(name, value);
    }
}

void Receiver::take_field(std::string_view name, std::string_view value) {
    const std::vector<Extraction>& wanted = spec_->content.extractions;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].from == Extraction::From::header && !extracted_fields_[i] &&
            is_same_field(name, wanted[i].lower_field)) {
            extracted_fields_[i] = value;
        }
    }
}

std::optional<std::string_view> Receiver::extracted_field(std::size_t extraction) const {
    const std::optional<std::string>& found = extracted_fields_[extraction];
    return found ? std::optional<std::string_view>{*found} : std::nullopt;
}

void Receiver::on_header_end() {
    header_complete_ = true;
    redirect_ = spec_->follow_redirects && is_redirect(status_) && !location_.empty();
}

bool Receiver::on_body(std::span<const char> piece) {
    if (redirect_) {
        // What came along is read, so that the connection may serve again; no more is waited for.
        return keep_alive_;
    }
    if (decided()) {
        return false;
    }
    return decoder_.feed(piece, *this) == wire::DecodeState::more;
}

void Receiver::on_trailer(std::string_view, std::string_view) {}

bool Receiver::on_decoded(std::span<const char> piece) {
    matcher_.feed(piece);
    if (spec_->content.needs_json()) {
        json_->feed(piece);
    }
    if (spec_->content.needs_hash()) {
        hash_->update({piece.data(), piece.size()});
    }
    if (kept_body_.size() < spec_->keep_body) {
        kept_body_.append(piece.data(),
                          std::min(piece.size(), spec_->keep_body - kept_body_.size()));
    }
    return !decided();
}

ResponseFacts Receiver::facts() const {
    return {
        .status = status_,
        .version = version_,
        .over_tls = false,
        .content_length = http2_ != nullptr ? http2_->content_length() : parser_.content_length(),
        .last_modified = last_modified_,
        .decoded_bytes = decoder_.decoded_bytes(),
        .content_encoding = decoder_.encoding(),
        .redirects = is_redirect(status_) && !location_.empty()};
}

Failure Receiver::failure() const {
    if (parsed() == wire::ResponseState::failed) {
        const bool ended_by_server =
            http2_ != nullptr && (http2_->error() == wire::Http2Error::reset ||
                                  http2_->error() == wire::Http2Error::goaway);
        return ended_by_server ? Failure::connection_reset : Failure::protocol_error;
    }
    return decoder_.error() == wire::DecodeError::too_large ? Failure::body_too_large
                                                            : Failure::decode_error;
}

std::string Receiver::error_text() const {
    if (parsed() != wire::ResponseState::failed) {
        return decoder_.error_text();
    }
    return std::string{http2_ != nullptr ? http2_->error_text() : parser_.error_text()};
}

namespace {

/// Warm receivers of this thread. A check that ends on another thread than it began on cannot be: a
/// target belongs to one worker.
std::vector<std::unique_ptr<Receiver>>& pool() {
    thread_local std::vector<std::unique_ptr<Receiver>> receivers;
    return receivers;
}

constexpr std::size_t most_pooled = 64;

}  // namespace

PooledReceiver::PooledReceiver() {
    if (pool().empty()) {
        receiver_ = std::make_unique<Receiver>();
    } else {
        receiver_ = std::move(pool().back());
        pool().pop_back();
    }
}

PooledReceiver::~PooledReceiver() {
    receiver_->shrink();
    if (pool().size() < most_pooled) {
        pool().push_back(std::move(receiver_));
    }
}

}  // namespace sonde::probes::http

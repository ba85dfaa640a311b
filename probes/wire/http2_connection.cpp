// Bytes in, bytes out, and a connection's beginning and end; the frames are in http2_events.cpp.
#include "probes/wire/http2_connection.hpp"

#include "probes/wire/printable.hpp"

#include <utility>

namespace sonde::probes::wire::http2 {

namespace {

constexpr std::int32_t window = 1024 * 1024;
// Bytes given to nghttp2 at a time: what it queues as an answer to them is bounded by that.
constexpr std::size_t feed_step = std::size_t{16} * 1024;
constexpr std::size_t most_output = std::size_t{128} * 1024;
constexpr std::size_t kept_output = std::size_t{16} * 1024;
// The same in bytes, for what nghttp2 skips and does not tell: frames of unknown types and those of
// a response that was cancelled before.
constexpr std::uint64_t most_idle_bytes = std::uint64_t{4} * 1024 * 1024;
constexpr std::uint64_t frame_cost = 16;

}  // namespace

void Connection::reset() {
    exchange.reset();
    output_.clear();
    if (output_.capacity() > kept_output) {
        output_.shrink_to_fit();
    }
    goaway_.clear();
    sent_ = preface_size_ = 0;
    stream_ = 0;
    received_ = idle_frames_ = uploaded_ = 0;
    continuations_ = 0;
    upload_ = {};
    broken_ = closed_ = goaway_received_ = frame_counted_ = upload_waits_ = false;
    session_.start(*this, {.window = window, .header_bytes = limits_.header_bytes});
    pump();
}

bool Connection::reusable() const {
    return !broken_ && !closed_ && !goaway_received_ && !exchange.running() &&
           exchange.facts().state != Http2State::failed && session_.allows_request();
}

void Connection::request(const Http2Request& request, ResponseSink& sink) {
    cancel();
    const bool allowed = reusable();
    exchange.begin(request.method == "HEAD", sink);
    received_ = idle_frames_ = uploaded_ = 0;
    upload_ = request.body;
    upload_waits_ = false;
    if (!allowed) {
        exchange.fail(goaway_received_ ? Http2Error::goaway : Http2Error::protocol,
                      goaway_.empty() ? "the connection takes no more requests" : goaway_,
                      true);
        return;
    }
    stream_ = session_.submit(request);
    pump();
}

Http2State Connection::feed(std::span<const char> data) {
    std::string_view rest{data.data(), data.size()};
    while (!rest.empty() && !broken_ && !closed_) {
        if (preface_size_ < frame_header && !check_preface(rest)) {
            break;
        }
        const auto piece = rest.substr(0, feed_step);
        rest.remove_prefix(piece.size());
        received_ += piece.size();
        if (const int error = session_.feed(piece); error != 0) {
            take_session_error(error);
        } else if (within_budget()) {
            pump();
        }
    }
    return exchange.facts().state;
}

// nghttp2 would take what begins like a long frame for one, and wait for the rest of it.
bool Connection::check_preface(std::string_view data) {
    const std::size_t before = preface_size_;
    const auto fits = [](std::size_t at, char c) {
        const auto byte = static_cast<unsigned char>(c);
        switch (at) {
            case 0:
                return byte == 0;
            case 1:
                return byte <= 0x40;  // a frame has at most 16 KiB
            case 2:
                return true;
            case 3:
                return byte == NGHTTP2_SETTINGS;
            case 4:
                return (byte & NGHTTP2_FLAG_ACK) == 0;
            default:
                return (byte & (at == 5 ? 0x7fU : 0xffU)) == 0;
        }
    };
    for (const char byte : data.substr(0, frame_header - before)) {
        if (!fits(preface_size_, byte)) {
            std::string shown{preface_.data(), before};
            shown += data;
            broken_ = true;
            exchange.fail(Http2Error::not_http2,
                          "not HTTP/2: the answer begins with \"" + printable(shown) + '"');
            return false;
        }
        preface_[preface_size_++] = byte;
    }
    return true;
}

bool Connection::within_budget() {
    if (received_ <= most_idle_bytes + frame_cost * content()) {
        return true;
    }
    break_connection(
        Http2Error::flood, "over 4 MiB of frames that carry nothing", NGHTTP2_ENHANCE_YOUR_CALM);
    return false;
}

Http2State Connection::finish() {
    closed_ = true;
    exchange.disconnect(preface_size_ > 0, goaway_);
    return exchange.facts().state;
}

void Connection::cancel() {
    if (exchange.running()) {
        exchange.stop();
        if (!broken_) {
            session_.cancel(stream_);
            pump();
        }
    }
}

void Connection::sent(std::size_t bytes) {
    sent_ += bytes;
    if (sent_ == output_.size()) {
        output_.clear();
        sent_ = 0;
    } else if (sent_ > output_.size() / 2) {
        output_.erase(0, sent_);
        sent_ = 0;
    }
    if (upload_waits_ && exchange.running() && !broken_ && output().size() < upload_ahead) {
        upload_waits_ = false;
        session_.resume_upload(stream_);
        pump();
    }
}

// Takes all that nghttp2 wants to send, so that what it makes of the server's frames is known as
// soon as they were fed: it tells some errors only by the frames that it sends.
void Connection::pump() {
    while (!broken_) {
        const auto made = session_.take();
        if (made.empty()) {
            return;
        }
        output_.append(made);
        if (output().size() > most_output) {
            break_connection(Http2Error::flood,
                             "the server wants more answers than it reads",
                             NGHTTP2_ENHANCE_YOUR_CALM);
        }
    }
}

// Ours is a GOAWAY by hand: nghttp2 allows no call after a callback has failed.
void Connection::break_connection(Http2Error error, std::string text, std::uint32_t code) {
    exchange.fail(error, std::move(text));
    if (!broken_) {
        broken_ = true;
        output_.append({0, 0, 8, NGHTTP2_GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        output_ += static_cast<char>(code);
    }
}

void Connection::take_session_error(int error) {
    if (error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
        break_connection(
            Http2Error::flood, "too many CONTINUATION frames", NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (error == NGHTTP2_ERR_FLOODED) {
        break_connection(
            Http2Error::flood, "too many PING or SETTINGS frames", NGHTTP2_ENHANCE_YOUR_CALM);
    } else {
        break_connection(Http2Error::protocol, nghttp2_strerror(error), NGHTTP2_INTERNAL_ERROR);
    }
}

}  // namespace sonde::probes::wire::http2

// What a connection makes of the frames that come and of those that nghttp2 sends.
#include "probes/wire/http2_connection.hpp"
#include "probes/wire/printable.hpp"

#include <algorithm>
#include <utility>

namespace sonde::probes::wire::http2 {

namespace {

// Frames without content that a response may bring, and one more for each KiB of content: servers
// send PING to measure the way (gRPC), and WINDOW_UPDATE.
constexpr std::uint64_t most_idle_frames = 1000;
constexpr std::size_t shown_debug = 80;

}  // namespace

bool Connection::on_begin_frame(const nghttp2_frame_hd& header) {
    ++idle_frames_;
    frame_counted_ = true;
    continuations_ = header.type == NGHTTP2_CONTINUATION ? continuations_ + 1 : 0;
    if (continuations_ > most_continuations) {
        take_session_error(NGHTTP2_ERR_TOO_MANY_CONTINUATIONS);
        return false;
    }
    if (idle_frames_ <= most_idle_frames + content() / 1024) {
        return true;
    }
    break_connection(
        Http2Error::flood,
        "over 1000 frames that carry nothing, the last one " + std::string{frame_name(header.type)},
        NGHTTP2_ENHANCE_YOUR_CALM);
    return false;
}

bool Connection::on_field(std::int32_t stream, std::string_view name, std::string_view value) {
    if (stream != stream_ || !exchange.running()) {
        return true;
    }
    exchange.on_field(name, value);
    if (exchange.facts().state == Http2State::failed) {
        const bool large = exchange.facts().error == Http2Error::header_too_large;
        break_connection(
            exchange.facts().error, {}, large ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
        return false;
    }
    return true;
}

void Connection::on_data(std::int32_t stream, std::span<const char> piece) {
    if (frame_counted_) {
        frame_counted_ = false;
        --idle_frames_;
    }
    if (stream == stream_ && exchange.running()) {
        exchange.on_body(piece);
        if (!exchange.running()) {
            session_.cancel(stream_);
        }
    }
}

void Connection::on_frame(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_GOAWAY) {
        take_goaway(frame.goaway);
        return;
    }
    if (frame.hd.stream_id != stream_ || !exchange.running()) {
        return;
    }
    if (frame.hd.type == NGHTTP2_RST_STREAM) {
        const std::uint32_t code = frame.rst_stream.error_code;
        exchange.fail(Http2Error::reset,
                      "RST_STREAM with " + code_name(code),
                      code == NGHTTP2_REFUSED_STREAM);
    } else if (frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA) {
        if (frame.hd.type == NGHTTP2_HEADERS) {
            exchange.on_fields_end();
        }
        if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            end_response();
        }
    }
}

void Connection::end_response() {
    exchange.on_end();
    // The rest of the request's body interests nobody (RFC 9113 section 8.1).
    if (!session_.request_ended(stream_)) {
        session_.cancel(stream_);
    }
}

void Connection::take_goaway(const nghttp2_goaway& frame) {
    goaway_received_ = true;
    const bool ours = frame.last_stream_id >= stream_;
    if (ours && frame.error_code == NGHTTP2_NO_ERROR) {
        return;
    }
    goaway_ = "GOAWAY with " + code_name(frame.error_code);
    if (frame.opaque_data_len > 0) {
        const std::string_view debug{reinterpret_cast<const char*>(frame.opaque_data),
                                     frame.opaque_data_len};
        goaway_ += ": \"" + printable(debug, shown_debug) + '"';
    }
    if (!ours) {
        exchange.fail(Http2Error::goaway, goaway_, true);
    }
}

void Connection::on_refused_field(std::string_view library_text) {
    exchange.on_refused_field(library_text);
}

void Connection::on_refused_fields(const nghttp2_frame& frame) {
    exchange.on_refused_fields((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
}

void Connection::on_frame_sent(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_RST_STREAM && frame.hd.stream_id == stream_) {
        exchange.on_refused(frame.rst_stream.error_code);
    } else if (frame.hd.type == NGHTTP2_GOAWAY) {
        std::string text = "broken HTTP/2: " + code_name(frame.goaway.error_code);
        if (frame.goaway.opaque_data_len > 0) {
            text += ", ";
            text.append(reinterpret_cast<const char*>(frame.goaway.opaque_data),
                        frame.goaway.opaque_data_len);
        }
        exchange.fail(Http2Error::protocol, std::move(text));
    }
}

void Connection::on_frame_not_sent(const nghttp2_frame& frame, int why) {
    if (frame.hd.type == NGHTTP2_HEADERS && frame.hd.stream_id == stream_) {
        exchange.fail(Http2Error::protocol,
                      std::string{"the request cannot be sent: "} + nghttp2_strerror(why),
                      true);
    }
}

std::ptrdiff_t Connection::read_upload(std::span<std::uint8_t> room, std::uint32_t& flags) {
    if (!exchange.running()) {
        return NGHTTP2_ERR_DEFERRED;  // the body may be gone
    }
    if (output().size() >= upload_ahead) {
        upload_waits_ = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    const auto size = std::min(room.size(), upload_.size());
    std::copy_n(upload_.begin(), size, room.begin());
    upload_ = upload_.subspan(size);
    uploaded_ += size;
    if (upload_.empty()) {
        flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return static_cast<std::ptrdiff_t>(size);
}

}  // namespace sonde::probes::wire::http2

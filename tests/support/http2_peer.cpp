#include "tests/support/http2_peer.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <stdexcept>

namespace sonde::tests {

namespace {

std::ptrdiff_t check(std::ptrdiff_t result) {
    if (result < 0) {
        throw std::runtime_error{nghttp2_strerror(static_cast<int>(result))};
    }
    return result;
}

std::string text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

std::vector<nghttp2_nv> borrowed(const Http2Fields& fields) {
    const auto bytes = [](const std::string& text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    std::vector<nghttp2_nv> made;
    for (const auto& [name, value] : fields) {
        made.push_back({bytes(name), bytes(value), name.size(), value.size(), 0});
    }
    return made;
}

}  // namespace

std::string Http2Asked::field(std::string_view name) const {
    const auto found =
        std::ranges::find_if(fields, [name](const auto& field) { return field.first == name; });
    return found == fields.end() ? std::string{} : found->second;
}

struct Http2Peer::Sending {
    Http2Reply reply;
    std::size_t piece = 0;
    std::size_t offset = 0;
};

// NOLINTBEGIN(readability-function-size): nghttp2 says what the parameters are
struct Http2Peer::Callbacks {
    static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        static_cast<Http2Peer*>(user)->asked_.push_back({.stream = frame->hd.stream_id});
        return 0;
    }

    static int header(nghttp2_session*,
                      const nghttp2_frame* frame,
                      const std::uint8_t* name,
                      std::size_t name_size,
                      const std::uint8_t* value,
                      std::size_t value_size,
                      std::uint8_t,
                      void* user) {
        static_cast<Http2Peer*>(user)
            ->find(frame->hd.stream_id)
            .fields.emplace_back(text_of(name, name_size), text_of(value, value_size));
        return 0;
    }

    static int data(nghttp2_session*,
                    std::uint8_t,
                    std::int32_t stream,
                    const std::uint8_t* bytes,
                    std::size_t size,
                    void* user) {
        static_cast<Http2Peer*>(user)->find(stream).body += text_of(bytes, size);
        return 0;
    }

    static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto& peer = *static_cast<Http2Peer*>(user);
        const auto stream = frame->hd.stream_id;
        if (frame->hd.type == NGHTTP2_GOAWAY) {
            peer.client_goaway_ = frame->goaway.error_code;
        } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
            peer.find(stream).was_reset = true;
            peer.find(stream).reset_code = frame->rst_stream.error_code;
        } else if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
            if (frame->hd.type == NGHTTP2_HEADERS && peer.on_request_header) {
                peer.on_request_header(peer, stream);
            }
            if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                peer.find(stream).ended = true;
                if (peer.on_request) {
                    peer.on_request(peer, stream);
                }
            }
        }
        return 0;
    }

    static ssize_t read(nghttp2_session* session,
                        std::int32_t stream,
                        std::uint8_t* room,
                        std::size_t size,
                        std::uint32_t* flags,
                        nghttp2_data_source*,
                        void* user) {
        Sending& sending = *static_cast<Http2Peer*>(user)->sending_.at(stream);
        const auto& pieces = sending.reply.pieces;
        std::size_t given = 0;
        if (sending.piece < pieces.size()) {
            const auto& piece = pieces[sending.piece];
            given = std::min(size, piece.size() - sending.offset);
            std::copy_n(piece.data() + sending.offset, given, room);
            sending.offset += given;
            if (sending.offset == piece.size()) {
                ++sending.piece;
                sending.offset = 0;
            }
        }
        if (sending.piece >= pieces.size()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            if (!sending.reply.trailers.empty()) {
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                const auto trailers = borrowed(sending.reply.trailers);
                check(nghttp2_submit_trailer(session, stream, trailers.data(), trailers.size()));
            }
        }
        return static_cast<ssize_t>(given);
    }
};

// NOLINTEND(readability-function-size)

Http2Peer::Http2Peer(Http2PeerOptions options) {
    nghttp2_session_callbacks* callbacks = nullptr;
    check(nghttp2_session_callbacks_new(&callbacks));
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame);
    nghttp2_option* option = nullptr;
    check(nghttp2_option_new(&option));
    nghttp2_option_set_no_auto_window_update(option, options.give_back ? 0 : 1);
    check(nghttp2_session_server_new2(&session_, callbacks, this, option));
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                        options.initial_window};
    check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1));
}

Http2Peer::~Http2Peer() {
    nghttp2_session_del(session_);
}

Http2Asked& Http2Peer::find(std::int32_t stream) {
    const auto found = std::ranges::find(asked_, stream, &Http2Asked::stream);
    if (found == asked_.end()) {
        throw std::runtime_error{"no such stream: " + std::to_string(stream)};
    }
    return *found;
}

void Http2Peer::feed(std::string_view bytes) {
    check(nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

void Http2Peer::drain() {
    const std::uint8_t* bytes = nullptr;
    while (const auto size = check(nghttp2_session_mem_send(session_, &bytes))) {
        output_ += text_of(bytes, static_cast<std::size_t>(size));
    }
}

std::string Http2Peer::take() {
    drain();
    return std::exchange(output_, {});
}

void Http2Peer::reply(std::int32_t stream, Http2Reply reply) {
    Http2Fields fields{{":status", reply.status}};
    fields.insert(fields.end(), reply.fields.begin(), reply.fields.end());
    const bool bodiless = reply.pieces.empty() && reply.trailers.empty();
    sending_[stream] = std::make_unique<Sending>(Sending{.reply = std::move(reply)});
    nghttp2_data_provider body{};
    body.read_callback = Callbacks::read;
    const auto made = borrowed(fields);
    check(nghttp2_submit_response(
        session_, stream, made.data(), made.size(), bodiless ? nullptr : &body));
}

void Http2Peer::interim(std::int32_t stream, const std::string& status) {
    const Http2Fields fields{{":status", status}};
    const auto made = borrowed(fields);
    check(nghttp2_submit_headers(
        session_, NGHTTP2_FLAG_NONE, stream, nullptr, made.data(), made.size(), nullptr));
}

void Http2Peer::reset(std::int32_t stream, std::uint32_t code) {
    check(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code));
}

void Http2Peer::go_away(std::int32_t last_stream, std::uint32_t code, std::string_view debug) {
    check(nghttp2_submit_goaway(session_,
                                NGHTTP2_FLAG_NONE,
                                last_stream,
                                code,
                                reinterpret_cast<const std::uint8_t*>(debug.data()),
                                debug.size()));
}

void Http2Peer::raw(std::string_view bytes) {
    drain();
    output_ += bytes;
}

std::int32_t Http2Peer::client_window(std::int32_t stream) const {
    return nghttp2_session_get_stream_remote_window_size(session_, stream);
}

std::string http2_frame(std::uint8_t type,
                        std::uint8_t flags,
                        std::int32_t stream,
                        std::string_view payload) {
    std::string bytes;
    for (const unsigned shift : {16U, 8U, 0U}) {
        bytes += static_cast<char>(payload.size() >> shift);
    }
    bytes += static_cast<char>(type);
    bytes += static_cast<char>(flags);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        bytes += static_cast<char>(static_cast<std::uint32_t>(stream) >> shift);
    }
    bytes += payload;
    return bytes;
}

std::string http2_block(const Http2Fields& fields) {
    std::string block;
    // RFC 7541 section 5.1, with a prefix of seven bits.
    const auto add = [&block](const std::string& text) {
        std::size_t size = text.size();
        if (size < 127) {
            block += static_cast<char>(size);
        } else {
            block += static_cast<char>(127);
            for (size -= 127; size >= 128; size /= 128) {
                block += static_cast<char>(size % 128 + 128);
            }
            block += static_cast<char>(size);
        }
        block += text;
    };
    for (const auto& [name, value] : fields) {
        block += '\0';
        add(name);
        add(value);
    }
    return block;
}

}  // namespace sonde::tests

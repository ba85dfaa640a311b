#include "probes/wire/http2_session.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <new>
#include <utility>

namespace sonde::probes::wire::http2 {

namespace {

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

int check(int result) {
    if (result == NGHTTP2_ERR_NOMEM) {
        throw std::bad_alloc{};
    }
    return result;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// RFC 9113 section 8.2.2, and Host: the authority says it.
bool may_be_sent(std::string_view lower_name, std::string_view value) {
    constexpr std::array<std::string_view, 6> left_out{
        "connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
    if (lower_name == "te") {
        return value == "trailers";
    }
    return std::ranges::find(left_out, lower_name) == left_out.end();
}

}  // namespace

// An exception must not pass through C: it waits in thrown_, and nghttp2 sees a failure.
struct Session::Callbacks {
    template <typename Call>
    static int guard(void* user, int failure, Call call) {
        auto& session = *static_cast<Session*>(user);
        try {
            return call(*session.events_);
        } catch (...) {
            session.thrown_ = std::current_exception();
            return failure;
        }
    }

    // NOLINTBEGIN(readability-function-size): nghttp2 says what the parameters are
    static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* header, void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            return events.on_begin_frame(*header) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
        });
    }

    static int field(nghttp2_session*,
                     const nghttp2_frame* frame,
                     nghttp2_rcbuf* name,
                     nghttp2_rcbuf* value,
                     std::uint8_t,
                     void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            const nghttp2_vec name_bytes = nghttp2_rcbuf_get_buf(name);
            const nghttp2_vec value_bytes = nghttp2_rcbuf_get_buf(value);
            return events.on_field(frame->hd.stream_id,
                                   text_of(name_bytes.base, name_bytes.len),
                                   text_of(value_bytes.base, value_bytes.len))
                       ? 0
                       : NGHTTP2_ERR_CALLBACK_FAILURE;
        });
    }

    // By itself nghttp2 would leave the field out, against RFC 9113 section 8.2.1.
    static int invalid_field(nghttp2_session*,
                             const nghttp2_frame*,
                             nghttp2_rcbuf*,
                             nghttp2_rcbuf*,
                             std::uint8_t,
                             void*) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }

    static int error(nghttp2_session*, int code, const char* text, std::size_t size, void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            if (code == NGHTTP2_ERR_HTTP_HEADER) {
                events.on_refused_field({text, size});
            }
            return 0;
        });
    }

    static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int why, void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            if (why == NGHTTP2_ERR_HTTP_MESSAGING) {
                events.on_refused_fields(*frame);
            }
            return 0;
        });
    }

    static int data(nghttp2_session* session,
                    std::uint8_t,
                    std::int32_t stream,
                    const std::uint8_t* bytes,
                    std::size_t size,
                    void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            const std::string_view piece = text_of(bytes, size);
            events.on_data(stream, piece);
            return check(nghttp2_session_consume(session, stream, size));
        });
    }

    static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            events.on_frame(*frame);
            return 0;
        });
    }

    static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            events.on_frame_sent(*frame);
            return 0;
        });
    }

    static int frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int why, void* user) {
        return guard(user, NGHTTP2_ERR_CALLBACK_FAILURE, [&](SessionEvents& events) {
            events.on_frame_not_sent(*frame, why);
            return 0;
        });
    }

    static ssize_t upload(nghttp2_session*,
                          std::int32_t,
                          std::uint8_t* room,
                          std::size_t size,
                          std::uint32_t* flags,
                          nghttp2_data_source*,
                          void* user) {
        return static_cast<Session*>(user)->events_->read_upload({room, size}, *flags);
    }

    // NOLINTEND(readability-function-size)

    Callbacks() {
        nghttp2_session_callbacks* made = nullptr;
        check(nghttp2_session_callbacks_new(&made));
        callbacks.reset(made);
        nghttp2_session_callbacks_set_on_begin_frame_callback(made, begin_frame);
        nghttp2_session_callbacks_set_on_header_callback2(made, field);
        nghttp2_session_callbacks_set_on_invalid_header_callback2(made, invalid_field);
        nghttp2_session_callbacks_set_error_callback2(made, error);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, invalid_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame);
        nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(made, frame_not_sent);
        nghttp2_option* option = nullptr;
        check(nghttp2_option_new(&option));
        options.reset(option);
        nghttp2_option_set_no_auto_window_update(option, 1);
        // nghttp2 1.52 counts a CONTINUATION frame once more for each read that ends inside its
        // header, which may be eight times. Ours is the real limit; this one is for header blocks
        // that are skipped and not told.
        nghttp2_option_set_max_continuations(option, 9 * SessionEvents::most_continuations);
        // Blanks around a value are cut off, as in HTTP/1: servers send them and clients take them.
        nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
    }

    std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)> callbacks{
        nullptr, nghttp2_session_callbacks_del};
    std::unique_ptr<nghttp2_option, decltype(&nghttp2_option_del)> options{nullptr,
                                                                           nghttp2_option_del};
};

void Session::start(SessionEvents& events, Settings settings) {
    static const Callbacks shared;  // sessions copy from it
    events_ = &events;
    thrown_ = nullptr;
    nghttp2_session* made = nullptr;
    check(nghttp2_session_client_new2(&made, shared.callbacks.get(), this, shared.options.get()));
    session_.reset(made);
    const std::array<nghttp2_settings_entry, 3> entries{{
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(settings.window)},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.header_bytes},
    }};
    check(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, entries.data(), entries.size()));
    check(nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, settings.window));
}

void Session::rethrow() {
    if (thrown_) {
        std::rethrow_exception(std::exchange(thrown_, nullptr));
    }
}

int Session::feed(std::string_view data) {
    const auto taken = nghttp2_session_mem_recv(
        session_.get(), reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    rethrow();
    return taken < 0 ? check(static_cast<int>(taken)) : 0;
}

std::string_view Session::take() {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &bytes);
    rethrow();
    // Beyond memory nothing fails here: no callback that sends refuses.
    return size < 0 ? (check(static_cast<int>(size)), std::string_view{})
                    : text_of(bytes, static_cast<std::size_t>(size));
}

void Session::add_field(std::string_view name, std::string_view value) {
    // nghttp2 reads names and values only.
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    fields_.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
}

std::int32_t Session::submit(const Http2Request& request) {
    fields_.clear();
    add_field(":method", request.method);
    add_field(":scheme", request.scheme);
    add_field(":authority", request.authority);
    add_field(":path", request.path);
    names_.clear();
    for (const Http2Field& field : request.fields) {
        std::ranges::transform(field.name, std::back_inserter(names_), lower);
    }
    std::string_view names = names_;
    for (const Http2Field& field : request.fields) {
        const std::string_view name = names.substr(0, field.name.size());
        names.remove_prefix(name.size());
        if (may_be_sent(name, field.value)) {
            add_field(name, field.value);
        }
    }
    nghttp2_data_provider upload{};
    upload.read_callback = Callbacks::upload;
    return check(nghttp2_submit_request(session_.get(),
                                        nullptr,
                                        fields_.data(),
                                        fields_.size(),
                                        request.body.empty() ? nullptr : &upload,
                                        nullptr));
}

void Session::resume_upload(std::int32_t stream) {
    check(nghttp2_session_resume_data(session_.get(), stream));
}

void Session::cancel(std::int32_t stream) {
    check(nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL));
}

bool Session::allows_request() const {
    return nghttp2_session_check_request_allowed(session_.get()) != 0;
}

bool Session::request_ended(std::int32_t stream) const {
    return nghttp2_session_get_stream_local_close(session_.get(), stream) == 1;
}

}  // namespace sonde::probes::wire::http2

// nghttp2's client session for one connection, its callbacks made virtual functions. It owns no
// judgement about what they say. Included by the http2 files only.
#pragma once

#include "probes/wire/http2_client.hpp"

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire::http2 {

/// What a session tells while it is fed or asked for output. False ends the session at once.
class SessionEvents {
public:
    SessionEvents() = default;
    SessionEvents(const SessionEvents&) = delete;
    SessionEvents& operator=(const SessionEvents&) = delete;
    virtual ~SessionEvents() = default;

    /// Of one header block, as nghttp2's own default has it.
    static constexpr std::size_t most_continuations = 8;

    /// A frame begins that nghttp2 has a use for.
    [[nodiscard]] virtual bool on_begin_frame(const nghttp2_frame_hd& header) = 0;
    [[nodiscard]] virtual bool on_field(std::int32_t stream,
                                        std::string_view name,
                                        std::string_view value) = 0;
    /// Its place in the windows is given back when this returns.
    virtual void on_data(std::int32_t stream, std::span<const char> piece) = 0;
    /// A good frame is complete.
    virtual void on_frame(const nghttp2_frame& frame) = 0;
    /// A field, or the fields of a HEADERS frame as a whole, break RFC 9113 section 8; nghttp2 will
    /// reset the stream.
    virtual void on_refused_field(std::string_view library_text) = 0;
    virtual void on_refused_fields(const nghttp2_frame& frame) = 0;
    virtual void on_frame_sent(const nghttp2_frame& frame) = 0;
    virtual void on_frame_not_sent(const nghttp2_frame& frame, int why) = 0;
    /// The next of the request's body: its size, with NGHTTP2_DATA_FLAG_EOF when it is the last;
    /// or NGHTTP2_ERR_DEFERRED, until Session::resume_upload().
    [[nodiscard]] virtual std::ptrdiff_t read_upload(std::span<std::uint8_t> room,
                                                     std::uint32_t& flags) = 0;
};

class Session {
public:
    struct Settings {
        std::int32_t window;  // of a stream and of the connection
        std::uint32_t header_bytes;
    };

    Session() = default;
    Session(const Session&) = delete;  // nghttp2 knows where it is
    Session& operator=(const Session&) = delete;

    /// Begins a connection. `events` outlives it.
    void start(SessionEvents& events, Settings settings);

    /// 0, or an error of nghttp2 after which there must be no other call but start(). What an event
    /// throws comes out of here and of take(), with the same consequence.
    [[nodiscard]] int feed(std::string_view data);
    /// The next bytes to send, valid until the next call; empty: none now.
    [[nodiscard]] std::string_view take();

    /// Returns the stream.
    std::int32_t submit(const Http2Request& request);
    void resume_upload(std::int32_t stream);
    void cancel(std::int32_t stream);

    [[nodiscard]] bool allows_request() const;
    /// Whether all of the request was sent.
    [[nodiscard]] bool request_ended(std::int32_t stream) const;

private:
    struct Callbacks;  // has nghttp2's, and reaches events_ and thrown_ from them

    struct Deleter {
        void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
    };

    void add_field(std::string_view name, std::string_view value);
    void rethrow();

    std::unique_ptr<nghttp2_session, Deleter> session_;
    SessionEvents* events_ = nullptr;
    std::exception_ptr thrown_;
    std::string names_;  // in lower case
    std::vector<nghttp2_nv> fields_;
};

}  // namespace sonde::probes::wire::http2

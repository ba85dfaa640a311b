// Http2Client's connection: the session, the output, what both may cost, and the one exchange that
// runs on it. What a response means is http2_exchange's.
#pragma once

#include "probes/wire/http2_client.hpp"
#include "probes/wire/http2_exchange.hpp"
#include "probes/wire/http2_session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sonde::probes::wire::http2 {

class Connection final : public SessionEvents {
public:
    explicit Connection(Http2Limits limits) : exchange(limits), limits_(limits) { reset(); }

    void reset();
    void request(const Http2Request& request, ResponseSink& sink);
    Http2State feed(std::span<const char> data);
    Http2State finish();
    void cancel();
    void sent(std::size_t bytes);
    [[nodiscard]] bool reusable() const;

    [[nodiscard]] std::span<const char> output() const {
        return std::span<const char>{output_}.subspan(sent_);
    }

    Exchange exchange;

private:
    // Of a SETTINGS frame: length, type, flags and stream 0.
    static constexpr std::size_t frame_header = 9;
    // More of a request's body waits until so much of it was sent.
    static constexpr std::size_t upload_ahead = std::size_t{32} * 1024;

    bool on_begin_frame(const nghttp2_frame_hd& header) override;
    bool on_field(std::int32_t stream, std::string_view name, std::string_view value) override;
    void on_data(std::int32_t stream, std::span<const char> piece) override;
    void on_frame(const nghttp2_frame& frame) override;
    void on_refused_field(std::string_view library_text) override;
    void on_refused_fields(const nghttp2_frame& frame) override;
    void on_frame_sent(const nghttp2_frame& frame) override;
    void on_frame_not_sent(const nghttp2_frame& frame, int why) override;
    std::ptrdiff_t read_upload(std::span<std::uint8_t> room, std::uint32_t& flags) override;

    void take_goaway(const nghttp2_goaway& frame);
    void end_response();
    bool check_preface(std::string_view data);
    bool within_budget();
    void pump();
    void break_connection(Http2Error error, std::string text, std::uint32_t code);
    void take_session_error(int error);

    [[nodiscard]] std::uint64_t content() const { return exchange.facts().body_bytes + uploaded_; }

    Http2Limits limits_;
    Session session_;
    std::int32_t stream_ = 0;  // of the request that runs or ran last
    bool broken_ = false;      // the session is not touched any more
    bool closed_ = false;
    std::string goaway_;  // what the server said of an error
    bool goaway_received_ = false;
    std::array<char, frame_header> preface_{};
    std::size_t preface_size_ = 0;
    std::uint64_t received_ = 0;  // since the request began
    std::uint64_t idle_frames_ = 0;
    bool frame_counted_ = false;
    std::size_t continuations_ = 0;
    std::span<const char> upload_;
    std::uint64_t uploaded_ = 0;
    bool upload_waits_ = false;
    std::string output_;
    std::size_t sent_ = 0;
};

}  // namespace sonde::probes::wire::http2

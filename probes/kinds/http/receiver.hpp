// Takes a response as it arrives: header facts, decoding and the search for patterns, with nothing
// held. Owns no connection and judges nothing.
#pragma once

#include "probes/digest.hpp"
#include "probes/failure.hpp"
#include "probes/kinds/http/check.hpp"
#include "probes/kinds/http/request.hpp"
#include "probes/kinds/http/spec.hpp"
#include "probes/wire/body_decoder.hpp"
#include "probes/wire/http1_response.hpp"
#include "probes/wire/http2_client.hpp"
#include "probes/wire/json_body.hpp"
#include "probes/wire/patterns.hpp"
#include "probes/wire/response_sink.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sonde::probes::http {

class Receiver final : public wire::ResponseSink, public wire::BodySink {
public:
    enum class State : std::uint8_t { more, redirect, complete, failed };

    /// Begins a response to this request; memory of the one before is kept. `http2` parses it;
    /// null: it is one of HTTP/1. What is passed outlives the response.
    void start(const Spec& spec,
               const RequestForm& request,
               wire::Http2Client* http2,
               Trace* trace);

    /// Decodes some 64 KiB at most; the rest waits for resume(), until which the state is `more`.
    State feed(std::span<const char> data);

    [[nodiscard]] bool pending() const { return decoder_.pending(); }

    State resume();
    /// The server closed the connection.
    State finish();

    /// Wants no more of the response. Whether the connection is fit for another request then.
    [[nodiscard]] bool leave_connection();

    /// Gives back what a large body took; the response is gone.
    void shrink();

    [[nodiscard]] bool saw_anything() const { return saw_anything_; }

    [[nodiscard]] bool header_complete() const { return header_complete_; }

    /// Whether the body is compressed, so that few bytes may become very many.
    [[nodiscard]] bool decodes() const { return !decoder_.is_identity(); }

    [[nodiscard]] std::uint64_t decoded_bytes() const { return decoder_.decoded_bytes(); }

    [[nodiscard]] const std::string& location() const { return location_; }

    /// The values of Set-Cookie, as they came.
    [[nodiscard]] const std::vector<std::string>& set_cookies() const { return set_cookies_; }

    /// The value of the field that an extraction of the settings is about; nothing: it did not
    /// come.
    [[nodiscard]] std::optional<std::string_view> extracted_field(std::size_t extraction) const;

    // Of a whole body, when the settings want it.
    /// What is wrong with it as JSON; empty: nothing.
    [[nodiscard]] const std::string& json_error() const { return json_->error(); }

    [[nodiscard]] const boost::json::value& json() const { return json_->value(); }

    [[nodiscard]] Digest body_digest() { return hash_->finish(); }

    /// The decoded body, as far as the settings want it kept.
    [[nodiscard]] const std::string& kept_body() const { return kept_body_; }

    [[nodiscard]] ResponseFacts facts() const;

    [[nodiscard]] const wire::Matcher& matcher() const { return matcher_; }

    /// Whether the header has a value that this expectation of the settings is about.
    [[nodiscard]] bool found_field(std::size_t expectation) const {
        return found_fields_[expectation];
    }

    /// Whether the server said that it has done nothing with the request.
    [[nodiscard]] bool unprocessed() const { return http2_ != nullptr && http2_->unprocessed(); }

    /// Why State::failed, and in words.
    [[nodiscard]] Failure failure() const;
    [[nodiscard]] std::string error_text() const;

    void on_status(unsigned status, unsigned version, std::string_view reason) override;
    void on_field(std::string_view name, std::string_view value) override;
    void on_header_end() override;
    [[nodiscard]] bool on_body(std::span<const char> piece) override;
    void on_trailer(std::string_view name, std::string_view value) override;
    [[nodiscard]] bool on_decoded(std::span<const char> piece) override;

private:
    State settle(wire::ResponseState state);
    [[nodiscard]] wire::ResponseState parsed() const;
    [[nodiscard]] bool decided() const;
    void start_content();
    void take_field(std::string_view name, std::string_view value);

    const Spec* spec_ = nullptr;
    Trace* trace_ = nullptr;
    wire::Http2Client* http2_ = nullptr;  // null: parser_
    wire::Http1Response parser_;
    wire::BodyDecoder decoder_;
    wire::Matcher matcher_;
    unsigned status_ = 0;
    unsigned version_ = 0;
    std::vector<bool> found_fields_;  // by expectation
    std::string location_;
    std::vector<std::string> set_cookies_;
    std::string kept_body_;
    std::vector<std::optional<std::string>> extracted_fields_;  // by extraction
    std::unique_ptr<wire::JsonBody> json_;                      // made when first needed, then kept
    std::unique_ptr<Sha256> hash_;
    std::optional<std::int64_t> last_modified_;
    bool saw_anything_ = false;
    bool header_complete_ = false;
    bool redirect_ = false;
    bool keep_alive_ = false;  // the connection is wanted for another request
    bool surplus_ = false;     // bytes of nobody's followed the response
};

/// A receiver for one check, from this thread's pool, so that a warm check allocates none.
class PooledReceiver {
public:
    PooledReceiver();
    ~PooledReceiver();
    PooledReceiver(const PooledReceiver&) = delete;
    PooledReceiver& operator=(const PooledReceiver&) = delete;

    Receiver& operator*() const { return *receiver_; }

    Receiver* operator->() const { return receiver_.get(); }

private:
    std::unique_ptr<Receiver> receiver_;
};

}  // namespace sonde::probes::http

// The public face of http2_connection.
#include "probes/wire/http2_client.hpp"

#include "probes/wire/http2_connection.hpp"

namespace sonde::probes::wire {

Http2Client::Http2Client(Http2Limits limits)
    : connection_(std::make_unique<http2::Connection>(limits)) {}

Http2Client::Http2Client(Http2Client&&) noexcept = default;
Http2Client& Http2Client::operator=(Http2Client&&) noexcept = default;
Http2Client::~Http2Client() = default;

void Http2Client::reset() {
    connection_->reset();
}

void Http2Client::request(const Http2Request& request, ResponseSink& sink) {
    connection_->request(request, sink);
}

Http2State Http2Client::feed(std::span<const char> data) {
    return connection_->feed(data);
}

Http2State Http2Client::finish() {
    return connection_->finish();
}

void Http2Client::cancel() {
    connection_->cancel();
}

std::span<const char> Http2Client::output() const {
    return connection_->output();
}

void Http2Client::sent(std::size_t bytes) {
    connection_->sent(bytes);
}

Http2State Http2Client::state() const {
    return connection_->exchange.facts().state;
}

Http2Error Http2Client::error() const {
    return connection_->exchange.facts().error;
}

std::string_view Http2Client::error_text() const {
    return connection_->exchange.facts().error_text;
}

bool Http2Client::unprocessed() const {
    return connection_->exchange.facts().unprocessed;
}

bool Http2Client::reusable() const {
    return connection_->reusable();
}

unsigned Http2Client::status() const {
    return connection_->exchange.facts().status;
}

unsigned Http2Client::version() const {
    return connection_->exchange.facts().status == 0 ? 0 : 20;
}

std::optional<std::uint64_t> Http2Client::content_length() const {
    return connection_->exchange.facts().content_length;
}

unsigned Http2Client::interim_responses() const {
    return connection_->exchange.facts().interim_responses;
}

std::uint64_t Http2Client::body_bytes() const {
    return connection_->exchange.facts().body_bytes;
}

}  // namespace sonde::probes::wire

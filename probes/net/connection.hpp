// A connection that is plain or TLS, so that a protocol is written once. Owns neither the choice
// nor the judgement of certificates.
#pragma once

#include "probes/net/stream.hpp"
#include "probes/net/tls_stream.hpp"

#include <optional>
#include <string>

namespace sonde::probes::net {

/// Non-blocking, on the reactor's thread; see Stream for how to wait.
class Connection {
public:
    Connection(Reactor& reactor, const Clock& clock) : stream_(reactor, clock) {}

    [[nodiscard]] Stream& stream() { return stream_; }

    /// Layers TLS on the connected stream; handshake() follows.
    TlsStream& start_tls(const TlsContext& context, const std::string& name) {
        return tls_.emplace(stream_, context, name);
    }

    [[nodiscard]] TlsStream* tls() { return tls_ ? &*tls_ : nullptr; }

    [[nodiscard]] IoResult read(std::span<char> buffer) {
        return tls_ ? tls_->read(buffer) : stream_.read(buffer);
    }

    [[nodiscard]] IoResult write(std::span<const char> bytes) {
        return tls_ ? tls_->write(bytes) : stream_.write(bytes);
    }

    template <typename Token>
    auto ready(Direction direction, Token&& token) {
        return stream_.ready(direction, std::forward<Token>(token));
    }

    /// What the last failed read or write was, and in words.
    [[nodiscard]] Failure failure(const boost::system::error_code& error, Phase phase) const {
        return tls_ && tls_->failure() != Failure::none ? tls_->failure() : classify(error, phase);
    }

    [[nodiscard]] std::string error_text(const boost::system::error_code& error) const {
        return tls_ && !tls_->error_text().empty() ? tls_->error_text() : error.message();
    }

private:
    Stream stream_;
    std::optional<TlsStream> tls_;
};

}  // namespace sonde::probes::net

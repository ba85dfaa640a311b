// A connection that is plain or TLS, so that a protocol is written once. Owns neither the choice
// nor the judgement of certificates.
#pragma once

#include "probes/net/stream.hpp"
#include "probes/net/tls_stream.hpp"

#include <optional>
#include <string>
#include <utility>

namespace sonde::probes::net {

/// Non-blocking, on the reactor's thread; see Stream for how to wait.
class Connection {
public:
    Connection(Reactor& reactor, const Clock& clock) : stream_(reactor, clock) {}

    [[nodiscard]] Stream& stream() { return stream_; }

    /// Layers TLS on the connected stream, inside that to a proxy if there is one; handshake()
    /// follows.
    TlsStream& start_tls(const TlsContext& context, TlsRequest request) {
        return tls_.emplace(stream_, context, std::move(request), outer());
    }

    /// The same to the proxy that leads to the server; before start_tls().
    TlsStream& start_proxy_tls(const TlsContext& context, TlsRequest request) {
        return proxy_tls_.emplace(stream_, context, std::move(request));
    }

    /// With the server; null: plain.
    [[nodiscard]] TlsStream* tls() { return tls_ ? &*tls_ : nullptr; }

    /// What application bytes go through first; null: plain.
    [[nodiscard]] TlsStream* innermost() { return tls_ ? &*tls_ : outer(); }

    [[nodiscard]] IoResult read(std::span<char> buffer) {
        TlsStream* const layer = innermost();
        return layer != nullptr ? layer->read(buffer) : stream_.read(buffer);
    }

    [[nodiscard]] IoResult write(std::span<const char> bytes) {
        TlsStream* const layer = innermost();
        return layer != nullptr ? layer->write(bytes) : stream_.write(bytes);
    }

    template <typename Token>
    auto ready(Direction direction, Token&& token) {
        return stream_.ready(direction, std::forward<Token>(token));
    }

    /// What the last failed read or write was, and in words.
    [[nodiscard]] Failure failure(const boost::system::error_code& error, Phase phase) const {
        const std::optional<TlsStream>& layer = tls_ ? tls_ : proxy_tls_;
        return layer && layer->failure() != Failure::none ? layer->failure()
                                                          : classify(error, phase);
    }

    [[nodiscard]] std::string error_text(const boost::system::error_code& error) const {
        const std::optional<TlsStream>& layer = tls_ ? tls_ : proxy_tls_;
        return layer && !layer->error_text().empty() ? layer->error_text() : error.message();
    }

private:
    [[nodiscard]] TlsStream* outer() { return proxy_tls_ ? &*proxy_tls_ : nullptr; }

    Stream stream_;
    std::optional<TlsStream> proxy_tls_;
    std::optional<TlsStream> tls_;  // destroyed before what it runs in
};

}  // namespace sonde::probes::net

// One SSL_CTX for each distinct TLS setting, made when the configuration is loaded and shared by
// all workers. Owns trust; judges nothing (tls_stream records, the probe judges).
#pragma once

#include "probes/net/chain_memory.hpp"
#include "probes/net/session_memory.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sonde::probes::net {

struct TlsSettings {
    std::string ca_pem = {};    // trusted certificates; empty: the system's store
    std::string cert_pem = {};  // the client's certificate and its intermediates; empty: none
    std::string key_pem = {};   // its private key
    int min_version = 0;        // TLS1_2_VERSION...; 0: what the system's OpenSSL allows
    int max_version = 0;
    bool resume = false;  // sessions are remembered, for handshakes that ask for it
    bool operator==(const TlsSettings&) const = default;
};

/// Which of the settings is no good, and why.
struct TlsProblem {
    enum class In : std::uint8_t { ca, certificate, key };
    In in = In::ca;
    std::string what;
};

class TlsContext {
public:
    /// Contexts with equal settings are one object while it is in use; the system's store (50 ms to
    /// load) is kept for the life of the process. Null, and why in `problem`, when there is no
    /// usable certificate or key where one should be. Any thread.
    static std::shared_ptr<const TlsContext> make(const TlsSettings& settings, TlsProblem& problem);

    /// How many contexts are remembered, in use or just no more.
    [[nodiscard]] static std::size_t remembered();

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    [[nodiscard]] SSL_CTX* native() const { return context_; }

    /// No other context of this process has ever had it.
    [[nodiscard]] std::uint64_t serial() const { return serial_; }

    /// Chains that this context's trust store has found good.
    [[nodiscard]] ChainMemory& chains() const { return chains_; }

    /// Sessions that the next handshake may resume; null without TlsSettings::resume.
    [[nodiscard]] SessionMemory* sessions() const { return sessions_.get(); }

private:
    explicit TlsContext(SSL_CTX* context);

    static std::shared_ptr<const TlsContext> load(const TlsSettings& settings, TlsProblem& problem);

    SSL_CTX* context_;
    std::uint64_t serial_;
    mutable ChainMemory chains_;  // remembering changes no setting
    std::unique_ptr<SessionMemory> sessions_;
};

}  // namespace sonde::probes::net

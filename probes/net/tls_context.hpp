// One SSL_CTX for each distinct TLS setting, made when the configuration is loaded and shared by
// all workers. Owns trust; judges nothing (tls_stream records, the probe judges).
#pragma once

#include "probes/net/chain_memory.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

namespace sonde::probes::net {

struct TlsSettings {
    std::string ca_pem;  // trusted certificates; empty: the system's store
    bool operator==(const TlsSettings&) const = default;
};

class TlsContext {
public:
    /// Contexts with equal settings are one object while it is in use; that of the system's store
    /// (50 ms to load) is kept for the life of the process. Null, and what is wrong in `error`,
    /// when there is no usable certificate in ca_pem. Any thread.
    static std::shared_ptr<const TlsContext> make(const TlsSettings& settings, std::string& error);

    /// How many contexts are remembered, in use or just no more.
    [[nodiscard]] static std::size_t remembered();

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    [[nodiscard]] SSL_CTX* native() const { return context_; }

    /// Chains that this context's trust store has found good.
    [[nodiscard]] ChainMemory& chains() const { return chains_; }

private:
    explicit TlsContext(SSL_CTX* context) : context_(context) {}

    static std::shared_ptr<const TlsContext> load(const TlsSettings& settings, std::string& error);

    SSL_CTX* context_;
    mutable ChainMemory chains_;  // remembering changes no setting
};

}  // namespace sonde::probes::net

// Certificate chains that were verified a moment ago. A fifth of a TLS handshake's cost is the
// verification of the chain that the last check has seen too. Owns no policy: it holds only what
// OpenSSL has verified without any error.
#pragma once

#include "probes/digest.hpp"

#include <openssl/x509.h>

#include <cstddef>
#include <ctime>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace sonde::probes::net {

/// One for each trust store and set of verification flags, shared by all threads. All members may
/// be called from any thread.
class ChainMemory {
public:
    struct FreeChain {
        void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
    };

    /// A chain with a reference to each of its certificates.
    using Chain = std::unique_ptr<STACK_OF(X509), FreeChain>;

    /// Of the name that was asked for and of every certificate that was sent.
    using Key = Digest;

    /// Nothing is remembered for longer, whatever the certificates say.
    static constexpr std::time_t longest = 3600;
    static constexpr std::size_t most_entries = 20'000;

    [[nodiscard]] static Key key(std::string_view name, const STACK_OF(X509) * sent);

    /// The verified chain for this key, as long as all of its certificates are valid at `now`.
    [[nodiscard]] Chain recall(const Key& key, std::time_t now) const;

    /// `verified` was found good at `now`.
    void remember(const Key& key, const STACK_OF(X509) * verified, std::time_t now);

    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        Chain chain;
        std::time_t from = 0;
        std::time_t until = 0;
    };

    mutable std::mutex mutex_;
    std::unordered_map<Key, Entry, DigestHash> entries_;
};

}  // namespace sonde::probes::net

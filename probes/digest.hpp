// SHA-256 of bytes: what tells whether a file, a set of settings, a secret or
// a certificate is the same as before.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sonde::probes {

using Digest = std::array<unsigned char, 32>;

/// The digest of bytes that come in pieces. Used by one thread.
class Sha256 {
public:
    Sha256();

    /// Begins anew; keeps its memory.
    void start();
    void update(std::string_view bytes);
    /// Of all since start(), which must come before anything else then.
    [[nodiscard]] Digest finish();

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const;
    };

    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// Allocates nothing once the thread has called it before. Any thread.
[[nodiscard]] Digest sha256(std::string_view bytes);

/// "00ff": lower case, two digits for each byte.
[[nodiscard]] std::string hex(std::span<const unsigned char> bytes);

struct DigestHash {
    std::size_t operator()(const Digest& digest) const {
        std::size_t out = 0;
        std::memcpy(&out, digest.data(), sizeof out);
        return out;
    }
};

}  // namespace sonde::probes

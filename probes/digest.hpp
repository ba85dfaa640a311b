// SHA-256 of bytes: what tells whether a file, a set of settings, a secret or
// a certificate is the same as before.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace sonde::probes {

using Digest = std::array<unsigned char, 32>;

/// Allocates nothing once the thread has called it before. Any thread.
[[nodiscard]] Digest sha256(std::string_view bytes);

struct DigestHash {
    std::size_t operator()(const Digest& digest) const {
        std::size_t out = 0;
        std::memcpy(&out, digest.data(), sizeof out);
        return out;
    }
};

}  // namespace sonde::probes

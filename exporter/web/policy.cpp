#include "exporter/web/policy.hpp"

#include "probes/digest.hpp"

#include <openssl/evp.h>

#include <array>

namespace sonde::exporter {

std::string inline_source(std::string_view text) {
    const probes::Digest digest = probes::sha256(text);
    std::array<unsigned char, 4 * ((sizeof(probes::Digest) + 2) / 3) + 1> base64{};
    const int length =
        EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
    return "'sha256-" +
           std::string{reinterpret_cast<const char*>(base64.data()),
                       static_cast<std::size_t>(length)} +
           "'";
}

}  // namespace sonde::exporter

// SHA-256 with OpenSSL.
#include "exporter/plan/digest.hpp"

#include <openssl/evp.h>

#include <new>

namespace sonde::exporter {

Digest sha256(std::string_view bytes) {
    Digest out{};
    if (EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha256(), nullptr) != 1) {
        throw std::bad_alloc{};  // SHA-256 has no other way to fail
    }
    return out;
}

}  // namespace sonde::exporter

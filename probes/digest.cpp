// SHA-256 with OpenSSL.
#include "probes/digest.hpp"

#include <openssl/evp.h>

#include <memory>
#include <new>

namespace sonde::probes {

namespace {

/// EVP_Digest() would make a context and look the algorithm up each time.
struct Hasher {
    std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm{
        EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free};
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                    &EVP_MD_CTX_free};
};

}  // namespace

Digest sha256(std::string_view bytes) {
    thread_local const Hasher hasher;
    Digest out{};
    if (!hasher.algorithm || !hasher.context ||
        EVP_DigestInit_ex2(hasher.context.get(), hasher.algorithm.get(), nullptr) != 1 ||
        EVP_DigestUpdate(hasher.context.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(hasher.context.get(), out.data(), nullptr) != 1) {
        throw std::bad_alloc{};  // SHA-256 has no other way to fail
    }
    return out;
}

}  // namespace sonde::probes

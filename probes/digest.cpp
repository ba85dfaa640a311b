// SHA-256 with OpenSSL.
#include "probes/digest.hpp"

#include <openssl/evp.h>

#include <new>

namespace sonde::probes {

namespace {

void must(bool good) {
    if (!good) {
        throw std::bad_alloc{};  // SHA-256 has no other way to fail
    }
}

/// EVP_sha256() would be looked up for each digest.
const EVP_MD* algorithm() {
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    must(fetched != nullptr);
    return fetched;
}

}  // namespace

void Sha256::Free::operator()(EVP_MD_CTX* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    must(context_ != nullptr);
    start();
}

void Sha256::start() {
    must(EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr) == 1);
}

void Sha256::update(std::string_view bytes) {
    must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
    Digest out{};
    must(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1);
    return out;
}

std::string hex(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

Digest sha256(std::string_view bytes) {
    thread_local Sha256 hasher;
    hasher.start();
    hasher.update(bytes);
    return hasher.finish();
}

}  // namespace sonde::probes

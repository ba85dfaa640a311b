#include "probes/net/chain_memory.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace sonde::probes::net {

namespace {

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// Unix seconds; `otherwise` when the field is unreadable.
std::time_t seconds_of(const ASN1_TIME* time, std::time_t otherwise) {
    std::tm fields{};
    return ASN1_TIME_to_tm(time, &fields) == 1 ? timegm(&fields) : otherwise;
}

}  // namespace

ChainMemory::Key ChainMemory::key(std::string_view name, const STACK_OF(X509) * sent) {
    thread_local const std::unique_ptr<EVP_MD_CTX, FreeDigest> context{EVP_MD_CTX_new()};
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    Key out{};
    bool good = context && EVP_DigestInit_ex2(context.get(), sha256, nullptr) == 1 &&
                EVP_DigestUpdate(context.get(), name.data(), name.size()) == 1;
    const char end_of_name = '\0';
    good = good && EVP_DigestUpdate(context.get(), &end_of_name, 1) == 1;
    for (int i = 0; good && i < sk_X509_num(sent); ++i) {
        unsigned char* der = nullptr;
        const int size = i2d_X509(sk_X509_value(sent, i), &der);
        good =
            size > 0 && EVP_DigestUpdate(context.get(), der, static_cast<std::size_t>(size)) == 1;
        OPENSSL_free(der);
    }
    if (!good || EVP_DigestFinal_ex(context.get(), out.data(), nullptr) != 1) {
        throw std::bad_alloc{};  // nothing else fails here: the certificates were parsed from DER
    }
    return out;
}

ChainMemory::Chain ChainMemory::recall(const Key& key, std::time_t now) const {
    const std::scoped_lock lock{mutex_};
    const auto found = entries_.find(key);
    if (found == entries_.end() || now < found->second.from || now >= found->second.until) {
        return nullptr;
    }
    return Chain{X509_chain_up_ref(found->second.chain.get())};
}

void ChainMemory::remember(const Key& key, const STACK_OF(X509) * verified, std::time_t now) {
    Entry entry{
        Chain{X509_chain_up_ref(const_cast<STACK_OF(X509)*>(verified))}, now, now + longest};
    for (int i = 0; i < sk_X509_num(verified); ++i) {
        const X509* certificate = sk_X509_value(verified, i);
        entry.from = std::max(entry.from, seconds_of(X509_get0_notBefore(certificate), now));
        // NotAfter itself is still good; an unreadable one makes the entry worthless.
        entry.until =
            std::min(entry.until, seconds_of(X509_get0_notAfter(certificate), now - 1) + 1);
    }
    const std::scoped_lock lock{mutex_};
    if (entries_.size() >= most_entries) {
        std::erase_if(entries_, [now](const auto& item) { return item.second.until <= now; });
    }
    if (entries_.size() < most_entries) {
        entries_.insert_or_assign(key, std::move(entry));
    }
}

std::size_t ChainMemory::size() const {
    const std::scoped_lock lock{mutex_};
    return entries_.size();
}

std::size_t ChainMemory::HashKey::operator()(const Key& key) const {
    std::size_t hash = 0;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
}

}  // namespace sonde::probes::net

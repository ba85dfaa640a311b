// Facts out of OpenSSL's certificates, and the sharing of their label values.
#include "probes/wire/certificate.hpp"

#include "probes/wire/certificate_name.hpp"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <span>
#include <vector>

namespace sonde::probes::wire {

namespace {

std::string serial_hex(const X509& certificate) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(&certificate);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> number{ASN1_INTEGER_to_BN(serial, nullptr),
                                                             &BN_free};
    if (!number) {
        return {};
    }
    std::vector<unsigned char> bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return hex(bytes);
}

using GeneralNames = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

GeneralNames alternative_names(const X509& certificate) {
    return {static_cast<GENERAL_NAMES*>(
                X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
            &GENERAL_NAMES_free};
}

std::string_view bytes_of(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string dns_names(const GENERAL_NAMES* names) {
    std::string result;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            result += result.empty() ? "" : ",";
            result += bytes_of(name->d.dNSName);
        }
    }
    return result;
}

/// RFC 5952's form for IPv6; OpenSSL would write 0:0:0:0:0:0:0:1.
std::string address_text(std::string_view bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = bytes.size() == 4;
    if ((!v4 && bytes.size() != 16) ||
        inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size()) == nullptr) {
        return "an address of " + std::to_string(bytes.size()) + " bytes";
    }
    return text.data();
}

std::string for_people(const GENERAL_NAME& name) {
    switch (name.type) {
        case GEN_DNS:
            return "DNS:" + std::string{bytes_of(name.d.dNSName)};
        case GEN_IPADD:
            return "IP:" + address_text(bytes_of(name.d.iPAddress));
        case GEN_URI:
            return "URI:" + std::string{bytes_of(name.d.uniformResourceIdentifier)};
        case GEN_EMAIL:
            return "email:" + std::string{bytes_of(name.d.rfc822Name)};
        case GEN_DIRNAME:
            return "DirName:" + go_name(name.d.directoryName);
        case GEN_RID: {
            std::array<char, 128> text{};
            OBJ_obj2txt(text.data(), static_cast<int>(text.size()), name.d.registeredID, 1);
            return std::string{"RID:"} + text.data();
        }
        default:
            return "other";
    }
}

std::vector<std::string> all_names(const GENERAL_NAMES* names) {
    std::vector<std::string> result;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        result.push_back(for_people(*sk_GENERAL_NAME_value(names, i)));
    }
    return result;
}

}  // namespace

std::optional<std::int64_t> unix_seconds(const ASN1_TIME* time) {
    std::tm fields{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &fields) != 1) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(timegm(&fields));
}

CertificateFacts certificate_facts(const X509& certificate) {
    CertificateFacts facts;
    facts.fingerprint_sha256 = hex(fingerprint(certificate));
    facts.subject = go_name(X509_get_subject_name(&certificate));
    facts.issuer = go_name(X509_get_issuer_name(&certificate));
    const GeneralNames names = alternative_names(certificate);
    facts.subject_alternative = dns_names(names.get());
    facts.names = all_names(names.get());
    facts.serial_number = serial_hex(certificate);
    facts.not_before = unix_seconds(X509_get0_notBefore(&certificate)).value_or(0);
    facts.not_after = not_after(certificate).value_or(0);
    if (const EVP_PKEY* key = X509_get0_pubkey(&certificate)) {
        const char* type = EVP_PKEY_get0_type_name(key);
        facts.key_type = type != nullptr ? type : "";
        facts.key_bits = static_cast<unsigned>(std::max(0, EVP_PKEY_get_bits(key)));
    }
    const int algorithm = X509_get_signature_nid(&certificate);
    facts.signature_algorithm = algorithm == NID_undef ? "" : OBJ_nid2ln(algorithm);
    return facts;
}

std::optional<std::int64_t> not_after(const X509& certificate) {
    return unix_seconds(X509_get0_notAfter(&certificate));
}

Digest fingerprint(const X509& certificate) {
    // X509_digest() copies the certificate each time.
    thread_local std::string der;
    const int size = i2d_X509(&certificate, nullptr);
    if (size <= 0) {
        return {};
    }
    der.resize(static_cast<std::size_t>(size));
    auto* end = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(&certificate, &end);
    return sha256(der);
}

std::optional<std::int64_t> earliest_expiry(const stack_st_X509* chain) {
    std::optional<std::int64_t> earliest;
    for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
        const auto expiry = not_after(*sk_X509_value(chain, i));
        if (expiry && (!earliest || *expiry < *earliest)) {
            earliest = expiry;
        }
    }
    return earliest;
}

std::optional<std::int64_t> last_chain_expiry(const stack_st_X509* verified_chain) {
    return earliest_expiry(verified_chain);
}

std::string_view verify_error_text(long verify_result) {
    return verify_result == X509_V_OK ? std::string_view{}
                                      : X509_verify_cert_error_string(verify_result);
}

LabelValues ChainInfoCache::labels(const X509& leaf) {
    const auto key = fingerprint(leaf);
    {
        const std::scoped_lock lock{mutex_};
        if (const auto found = entries_.find(key); found != entries_.end()) {
            if (auto values = found->second.lock()) {
                return values;
            }
        }
    }
    auto facts = certificate_facts(leaf);
    std::vector<std::string> texts{std::move(facts.fingerprint_sha256),
                                   std::move(facts.subject),
                                   std::move(facts.issuer),
                                   std::move(facts.subject_alternative),
                                   std::move(facts.serial_number)};
    auto values = std::make_shared<const std::vector<std::string>>(std::move(texts));
    const std::scoped_lock lock{mutex_};
    if (entries_.size() >= sweep_at_) {
        std::erase_if(entries_, [](const auto& entry) { return entry.second.expired(); });
        sweep_at_ = std::max<std::size_t>(64, 2 * entries_.size());
    }
    auto& entry = entries_[key];
    if (auto earlier = entry.lock()) {
        return earlier;  // another thread saw the same certificate at the same time
    }
    entry = values;
    return values;
}

std::size_t ChainInfoCache::size() const {
    const std::scoped_lock lock{mutex_};
    return entries_.size();
}

}  // namespace sonde::probes::wire

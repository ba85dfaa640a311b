// What is told about certificates, in blackbox_exporter's words. It takes OpenSSL's objects and
// gives values; it verifies nothing and knows no connection.
#pragma once

#include "probes/digest.hpp"
#include "probes/result.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct stack_st_X509;

namespace sonde::probes::wire {

struct CertificateFacts {
    std::string fingerprint_sha256;   // lower hex
    std::string subject;              // as Go's pkix.Name.String()
    std::string issuer;               // the same
    std::string subject_alternative;  // DNS names, joined by commas
    std::vector<std::string> names;   // SANs of every kind: "DNS:a.test", "IP:192.0.2.1", "URI:..."
    std::string serial_number;        // lower hex, whole bytes
    std::int64_t not_before = 0;      // Unix seconds
    std::int64_t not_after = 0;
    std::string key_type;  // "RSA", "EC", "ED25519" ...; empty when the key is unreadable
    unsigned key_bits = 0;
    std::string signature_algorithm;  // "ecdsa-with-SHA256"
};

[[nodiscard]] CertificateFacts certificate_facts(const X509& certificate);

/// Unix seconds; nothing when it is null or unreadable.
[[nodiscard]] std::optional<std::int64_t> unix_seconds(const ASN1_TIME* time);

/// SHA-256 of the certificate's DER. Allocates nothing once warm.
[[nodiscard]] Digest fingerprint(const X509& certificate);

/// NotAfter in Unix seconds; nothing when the field is unreadable.
[[nodiscard]] std::optional<std::int64_t> not_after(const X509& certificate);

/// The smallest NotAfter in a chain: of the chain as sent it is probe_ssl_earliest_cert_expiry, of
/// the verified chain it is probe_ssl_last_chain_expiry_timestamp_seconds (upstream takes the
/// maximum over all verified chains; OpenSSL builds one). Null or empty: nothing.
[[nodiscard]] std::optional<std::int64_t> earliest_expiry(const stack_st_X509* chain);
[[nodiscard]] std::optional<std::int64_t> last_chain_expiry(const stack_st_X509* verified_chain);

/// For people: "certificate has expired" for an X509_V_ERR_*, empty for X509_V_OK.
[[nodiscard]] std::string_view verify_error_text(long verify_result);

/// OpenSSL's own name, without its prefix: "CERT_HAS_EXPIRED" for X509_V_ERR_CERT_HAS_EXPIRED;
/// empty for X509_V_OK and for numbers that OpenSSL 3.0 does not have.
[[nodiscard]] std::string_view verify_error_name(long verify_result);

/// The label values of probe_ssl_last_chain_info, in the catalogue's order (fingerprint_sha256,
/// subject, issuer, subjectalternative, serialnumber), one copy for each certificate in use: an
/// entry lives as long as somebody holds the values, so the size is bounded by what is exported.
/// A repeated check allocates nothing. Thread safe.
class ChainInfoCache {
public:
    [[nodiscard]] LabelValues labels(const X509& leaf);
    [[nodiscard]] std::size_t size() const;  // entries, also those of which nobody holds the values

private:
    mutable std::mutex mutex_;
    std::unordered_map<Digest, std::weak_ptr<const std::vector<std::string>>, DigestHash> entries_;
    std::size_t sweep_at_ = 64;
};

}  // namespace sonde::probes::wire

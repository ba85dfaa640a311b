#include "probes/kinds/http/tls_facts.hpp"

#include "probes/digest.hpp"
#include "probes/wire/certificate.hpp"
#include "probes/wire/ocsp.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sonde::probes::http {

namespace {

/// One shared label for each word; the words are OpenSSL's versions and ciphers, a closed list.
LabelValues label_of(std::string_view word) {
    thread_local std::map<std::string, LabelValues, std::less<>> known;
    auto found = known.find(word);
    if (found == known.end()) {
        auto values = std::make_shared<const std::vector<std::string>>(1, std::string{word});
        found = known.emplace(std::string{word}, std::move(values)).first;
    }
    return found->second;
}

wire::ChainInfoCache& chain_infos() {
    static wire::ChainInfoCache cache;
    return cache;
}

/// The OCSP response that came with the certificate; empty: none did.
std::span<const unsigned char> stapled(const SSL* ssl) {
    const unsigned char* bytes = nullptr;
    // A read, although its parameter is not const.
    const long size = SSL_get_tlsext_status_ocsp_resp(const_cast<SSL*>(ssl), &bytes);
    return size > 0 ? std::span{bytes, static_cast<std::size_t>(size)}
                    : std::span<const unsigned char>{};
}

/// Who signed the certificate, by the chain that verification built, else by what was sent.
const X509* issuer_of(const SSL* ssl, const X509& leaf) {
    for (const STACK_OF(X509) * chain :
         {SSL_get0_verified_chain(ssl), SSL_get_peer_cert_chain(ssl)}) {
        for (int i = 1; chain != nullptr && i < sk_X509_num(chain); ++i) {
            X509* candidate = sk_X509_value(chain, i);
            if (X509_check_issued(candidate, const_cast<X509*>(&leaf)) == X509_V_OK) {
                return candidate;
            }
        }
    }
    return nullptr;
}

/// The label of a staple. Its signature costs as much as one of the handshake's, and servers send
/// the same one for hours: it is remembered for a while.
LabelValues ocsp_label(const SSL* ssl, const X509& leaf) {
    struct Known {
        LabelValues label;
        std::int64_t until = 0;
    };

    constexpr std::int64_t longest = 300;
    constexpr std::size_t most = 4096;
    thread_local std::unordered_map<Digest, Known, DigestHash> known;
    const auto staple = stapled(ssl);
    if (staple.empty()) {
        return nullptr;
    }
    const Digest of_leaf = wire::fingerprint(leaf);
    std::string key{of_leaf.begin(), of_leaf.end()};
    key.append(reinterpret_cast<const char*>(staple.data()), staple.size());
    const std::int64_t now = std::time(nullptr);
    if (known.size() >= most) {
        known.clear();
    }
    Known& entry = known[sha256(key)];
    if (now >= entry.until) {
        const wire::OcspStaple read = wire::read_ocsp(staple, leaf, issuer_of(ssl, leaf), now);
        entry.label = label_of(wire::believed_status(read));
        entry.until = std::min(now + longest, read.next_update.value_or(now + longest));
    }
    return entry.label;
}

std::vector<TraceCertificate> describe(const STACK_OF(X509) * chain) {
    std::vector<TraceCertificate> out;
    for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
        wire::CertificateFacts facts = wire::certificate_facts(*sk_X509_value(chain, i));
        out.push_back({.position = static_cast<std::size_t>(i),
                       .subject = std::move(facts.subject),
                       .issuer = std::move(facts.issuer),
                       .serial = std::move(facts.serial_number),
                       .names = std::move(facts.names),
                       .not_before = facts.not_before,
                       .not_after = facts.not_after,
                       .key_type = std::move(facts.key_type),
                       .key_bits = facts.key_bits,
                       .signature_algorithm = std::move(facts.signature_algorithm),
                       .fingerprint = std::move(facts.fingerprint_sha256)});
    }
    return out;
}

TraceOcsp describe(wire::OcspStaple staple) {
    return {.status = std::string{staple.status ? wire::name(*staple.status) : std::string_view{}},
            .problem = std::move(staple.problem),
            .signature_verified = staple.signature_verified,
            .this_update = staple.this_update,
            .next_update = staple.next_update,
            .revoked_at = staple.revoked_at,
            .revocation_reason = std::move(staple.revocation_reason)};
}

}  // namespace

TlsFacts tls_facts(const net::TlsStream& tls, bool verified) {
    const SSL* ssl = tls.native();
    TlsFacts facts;
    facts.version = label_of(tls.version());
    facts.cipher = label_of(tls.cipher());
    facts.verified = verified;
    facts.resumed = tls.resumed();
    facts.earliest_expiry = wire::earliest_expiry(SSL_get_peer_cert_chain(ssl));
    if (verified) {
        facts.last_chain_expiry = tls.verified_until();
    }
    if (const X509* leaf = SSL_get0_peer_certificate(ssl)) {
        facts.chain_info = chain_infos().labels(*leaf);
        facts.ocsp = ocsp_label(ssl, *leaf);
    }
    return facts;
}

void describe_tls(const net::TlsStream& tls, const net::TlsVerdict& verdict, TraceHop& hop) {
    const SSL* ssl = tls.native();
    TraceTls& out = hop.tls.emplace();
    out.version = tls.version();
    out.cipher = tls.cipher();
    for (const auto& [code, depth] : verdict.errors) {
        const std::string_view name = wire::verify_error_name(code);
        out.errors.push_back({.name = std::string{name.empty() ? "UNKNOWN" : name},
                              .code = code,
                              .text = std::string{wire::verify_error_text(code)},
                              .position = static_cast<std::size_t>(std::max(0, depth))});
    }
    out.sent = describe(SSL_get_peer_cert_chain(ssl));
    out.verified = describe(SSL_get0_verified_chain(ssl));
    if (verdict.failure != Failure::certificate_untrusted && !out.verified.empty()) {
        out.trust_anchor = out.verified.back().subject;
    }
    if (const auto staple = stapled(ssl); !staple.empty()) {
        if (const X509* leaf = SSL_get0_peer_certificate(ssl)) {
            out.ocsp =
                describe(wire::read_ocsp(staple, *leaf, issuer_of(ssl, *leaf), std::time(nullptr)));
        }
    }
}

}  // namespace sonde::probes::http

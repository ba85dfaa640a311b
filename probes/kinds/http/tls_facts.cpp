#include "probes/kinds/http/tls_facts.hpp"

#include "probes/wire/certificate.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <map>
#include <string>

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
    }
    return facts;
}

void describe_tls(const net::TlsStream& tls, const net::TlsVerdict& verdict, TraceHop& hop) {
    hop.tls_version = tls.version();
    hop.tls_cipher = tls.cipher();
    hop.tls_error = verdict.detail;
    const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(tls.native());
    for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
        const wire::CertificateFacts facts = wire::certificate_facts(*sk_X509_value(chain, i));
        hop.chain.push_back({.subject = facts.subject,
                             .issuer = facts.issuer,
                             .names = facts.subject_alternative,
                             .not_before = facts.not_before,
                             .not_after = facts.not_after,
                             .key = facts.key_type + " " + std::to_string(facts.key_bits) + " bits",
                             .fingerprint = facts.fingerprint_sha256});
    }
}

}  // namespace sonde::probes::http

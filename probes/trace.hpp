// The steps of one check for a person to read: `sonde probe` and the debug page. Only filled when
// somebody looks (Env::trace); the metrics never come from here.
#pragma once

#include "probes/failure.hpp"
#include "probes/result.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sonde::probes {

/// One span of a hop: `begin` counts from the start of the check.
struct TraceSpan {
    Phase phase;
    Duration begin;
    Duration length;
};

struct TraceCertificate {
    std::size_t position = 0;  // in its chain: 0 is the server's own
    std::string subject;
    std::string issuer;
    std::string serial;              // lower hex
    std::vector<std::string> names;  // SANs of every kind: "DNS:shop.example", "IP:192.0.2.1"
    std::int64_t not_before = 0;     // Unix seconds
    std::int64_t not_after = 0;
    std::string key_type;  // "RSA", "EC"; empty: unreadable
    unsigned key_bits = 0;
    std::string signature_algorithm;
    std::string fingerprint;  // SHA-256, lower hex
};

/// One thing that verification objects to.
struct TraceVerifyError {
    std::string name;  // OpenSSL's, without X509_V_ERR_: "CERT_HAS_EXPIRED"
    int code = 0;
    std::string text;
    std::size_t position = 0;  // of the certificate it is about, in the verified chain
};

/// What the server stapled about the revocation of its certificate.
struct TraceOcsp {
    std::string status;               // good, revoked, unknown; empty: it says nothing of it
    std::string problem;              // why it is not to be believed; empty: it is
    bool signature_verified = false;  // by the certificate's issuer, or by whom that appointed
    std::optional<std::int64_t> this_update;  // Unix seconds
    std::optional<std::int64_t> next_update;
    std::optional<std::int64_t> revoked_at;
    std::string revocation_reason;  // "keyCompromise"
};

/// What a TLS handshake showed, also when verification failed.
struct TraceTls {
    std::string version;  // "TLS 1.3"
    std::string cipher;
    std::vector<TraceVerifyError> errors;  // none: verified
    std::vector<TraceCertificate> sent;    // as the server sent them, in its order
    /// What verification put together of those and of the trust store; as far as it came, where it
    /// found no trust anchor.
    std::vector<TraceCertificate> verified;
    std::string trust_anchor;       // subject of the last of `verified`; empty: nobody is trusted
    std::optional<TraceOcsp> ocsp;  // nothing: none was stapled
};

/// One request and its response; a check without redirects has one.
struct TraceHop {
    std::string url;
    bool was_redirected_to = false;  // by the hop before; the target's own url otherwise
    std::string address;             // "192.0.2.1:443"
    std::vector<TraceSpan> spans;    // of the phases that ended
    std::optional<int> status;
    std::string protocol;  // "HTTP/1.1"
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<TraceTls> tls;
};

struct TraceVerdict {
    std::string name;
    bool met;
    std::string detail;
};

class Trace {
public:
    std::vector<TraceHop> hops;
    std::vector<TraceVerdict> expectations;
    std::optional<std::size_t> failed_hop;                       // the first that did
    std::vector<std::pair<std::string, std::string>> extracted;  // names and values
    std::uint64_t body_bytes = 0;

    TraceHop& hop() { return hops.back(); }

    /// The steps of another check behind those of this.
    void append(Trace&& other) {
        if (other.failed_hop && !failed_hop) {
            failed_hop = hops.size() + *other.failed_hop;
        }
        hops.insert(hops.end(),
                    std::make_move_iterator(other.hops.begin()),
                    std::make_move_iterator(other.hops.end()));
        expectations.insert(expectations.end(),
                            std::make_move_iterator(other.expectations.begin()),
                            std::make_move_iterator(other.expectations.end()));
        extracted.insert(extracted.end(),
                         std::make_move_iterator(other.extracted.begin()),
                         std::make_move_iterator(other.extracted.end()));
        body_bytes += other.body_bytes;
    }
};

}  // namespace sonde::probes

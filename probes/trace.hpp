// The steps of one check for a person to read: `sonde probe` and the debug page. Only filled when
// somebody looks (Env::trace); the metrics never come from here.
#pragma once

#include "probes/failure.hpp"
#include "probes/result.hpp"

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
    std::string subject;
    std::string issuer;
    std::string names;  // SANs, joined with commas
    std::int64_t not_before = 0;
    std::int64_t not_after = 0;
    std::string key;  // "ECDSA 256 bits"
    std::string fingerprint;
};

/// One request and its response; a check without redirects has one.
struct TraceHop {
    std::string url;
    std::string address;  // "192.0.2.1:443"
    std::vector<TraceSpan> spans;
    std::optional<int> status;
    std::string protocol;  // "HTTP/1.1"
    std::vector<std::pair<std::string, std::string>> headers;
    std::string tls_version;
    std::string tls_cipher;
    std::string tls_error;                // what verification found; empty: verified
    std::vector<TraceCertificate> chain;  // as the server sent it
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
    std::uint64_t body_bytes = 0;

    TraceHop& hop() { return hops.back(); }

    /// The steps of another check behind those of this.
    void append(Trace&& other) {
        hops.insert(hops.end(),
                    std::make_move_iterator(other.hops.begin()),
                    std::make_move_iterator(other.hops.end()));
        expectations.insert(expectations.end(),
                            std::make_move_iterator(other.expectations.begin()),
                            std::make_move_iterator(other.expectations.end()));
        body_bytes += other.body_bytes;
    }
};

}  // namespace sonde::probes

// The state of one http check over all its hops: what was measured, what failed, who watches.
#pragma once

#include "probes/kinds/http/spec.hpp"
#include "probes/net/endpoint.hpp"
#include "probes/net/stream.hpp"
#include "probes/result.hpp"
#include "probes/run_context.hpp"
#include "probes/trace.hpp"
#include "probes/url.hpp"
#include "probes/wire/cookie_jar.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::probes::http {

/// "1.0", "1.1" or "2", of 10, 11 and 20.
[[nodiscard]] std::string_view version_text(unsigned version);

/// Durations of the phases, summed over hops; a phase that never ended has none.
class PhaseTimes {
public:
    void add(Phase phase, Duration length) {
        auto& sum = sums_[static_cast<std::size_t>(phase)];
        sum = sum.value_or(Duration::zero()) + length;
    }

    [[nodiscard]] std::optional<Duration> operator[](Phase phase) const {
        return sums_[static_cast<std::size_t>(phase)];
    }

    [[nodiscard]] Duration total() const;

private:
    std::array<std::optional<Duration>, static_cast<std::size_t>(Phase::count)> sums_;
};

/// TLS facts of the final hop, kept also when verification failed.
struct TlsFacts {
    LabelValues version;
    LabelValues cipher;
    LabelValues chain_info;
    LabelValues ocsp;  // null: nothing was stapled
    bool verified = false;
    bool resumed = false;
    std::optional<std::int64_t> earliest_expiry;
    std::optional<std::int64_t> last_chain_expiry;
};

/// Facts of the last response whose header arrived.
struct ResponseFacts {
    unsigned status = 0;
    unsigned version = 0;  // 10, 11 or 20
    bool over_tls = false;
    std::optional<std::uint64_t> content_length;
    std::optional<std::int64_t> last_modified;  // Unix seconds
    std::uint64_t decoded_bytes = 0;
    std::string_view content_encoding = "identity";  // a literal
    bool redirects = false;  // says where else to ask, whether or not that is followed
};

/// What one hop came to, as far as it got. A check is judged by that of its last.
struct HopFacts {
    std::optional<TlsFacts> tls;
    std::optional<ResponseFacts> response;
    std::optional<net::Endpoint> address;
    std::optional<net::TcpInfo> path;
    std::optional<bool> arrival_from_kernel;
};

struct Check {
    Check(const RunContext& context, const Spec& settings, const Url& url)
        : run(context),
          spec(settings),
          target(url),
          pinned(settings.dial.pinned),
          started(context.deadline.started()) {}

    const RunContext& run;
    const Spec& spec;
    const Url& target;
    std::optional<net::Endpoint> pinned;  // where the target's own host is, without asking
    net::TimePoint started;

    PhaseTimes phases;
    Failure failure = Failure::none;
    std::string detail;
    bool exhausted = false;
    unsigned redirects = 0;         // followed
    std::optional<bool> reused;     // the last connection, by which its phases are absent; nothing:
                                    // connections are not kept
    unsigned dead_connections = 0;  // kept ones that were no use
    HopFacts last_hop;
    wire::CookieJar cookies;
    std::optional<net::TimePoint> answered;  // when the last byte of a whole answer arrived

    void fail(Failure why, std::string what) {
        failure = why;
        detail = std::move(what);
    }

    /// Adds a phase that began at `begin`, and its span for whoever watches.
    void phase(Phase phase, net::TimePoint begin, Duration length);

    [[nodiscard]] Trace* trace() const { return run.env.trace; }
};

}  // namespace sonde::probes::http

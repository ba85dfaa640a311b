// CPU for one check of a url, 64 at a time on one thread, everything on: phases, kernel timestamps,
// TCP_INFO, one deadline each, and every result recorded in a store. Prints a line of JSON like
// bare_client's, with the allocations that a check makes once everything is warm.
//   check_cost URL SECONDS [CONFIG [MODULE]]     for so long
//   check_cost URL COUNTn [CONFIG [MODULE]]      so many checks

#include "config/service.hpp"
#include "exporter/engine/runner.hpp"
#include "exporter/metrics/store.hpp"
#include "exporter/plan/plan.hpp"
#include "probes/net/connection_pool.hpp"
#include "probes/net/reactor.hpp"
#include "probes/net/resolver.hpp"

#include "tests/bench/allocations.hpp"
#include "tests/bench/measure.hpp"

#include <boost/asio/io_context.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace sonde;
using bench::cpu_seconds;
using bench::percentile;

constexpr int concurrency = 64;

/// Checks one after the other in each of its places, every result recorded.
struct Loop {
    /// `length`: seconds, or a number of checks with an n behind it.
    Loop(exporter::JobPtr wanted, const std::string& length)
        : job(std::move(wanted)),
          target(job, &job->target),
          id(store.add(*job)) {
        if (length.ends_with('n')) {
            left = std::strtoull(length.c_str(), nullptr, 10);
        } else {
            end = clock.now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                    std::chrono::duration<double>(std::atof(length.c_str())));
        }
        rtts.reserve(10'000'000);
    }

    void next() {
        --left;
        runner.start(job->probe, target, job->timeout, [this](exporter::Runner::Outcome&& outcome) {
            store.record(id, outcome.started_unix, outcome.result);
            if (outcome.result.success()) {
                rtts.push_back(
                    std::chrono::duration<double, std::micro>(*outcome.result.rtt).count());
            } else if (failures++ == 0) {
                std::fprintf(stderr, "%s\n", outcome.result.detail.c_str());
            }
            if (left > 0 && clock.now() < end) {
                next();
            } else if (runner.in_flight() == 0) {
                runner.close();
                connections.close();
                resolver.close();
                reactor.close();
            }
        });
    }

    exporter::JobPtr job;
    std::shared_ptr<const probes::Target> target;
    const probes::net::Clock& clock = probes::net::Clock::system();
    probes::net::TimePoint end = probes::net::TimePoint::max();
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();  // checks to start
    boost::asio::io_context context{1};
    probes::net::Reactor reactor{context};
    probes::net::Resolver resolver{reactor, clock, {}};
    probes::net::ConnectionPool connections{reactor, clock};
    exporter::Runner runner{{context.get_executor(), clock, reactor, resolver, connections}};
    exporter::MetricStore store{config::Metrics{}.rtt_buckets, {}};
    exporter::MetricStore::Id id;
    std::vector<double> rtts;
    std::size_t failures = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: check_cost URL SECONDS|COUNTn [CONFIG [MODULE]]\n");
        return 2;
    }
    std::shared_ptr<const exporter::Plan> plan = exporter::built_in_plan(probes::kinds());
    if (argc > 3) {
        const auto loaded = exporter::load_plan(argv[3], probes::kinds());
        if (!loaded.plan) {
            std::fprintf(stderr, "%s", loaded.diagnostics.text().c_str());
            return 1;
        }
        plan = loaded.plan;
    }
    std::string error;
    const auto job = plan->job_for(argv[1], argc > 4 ? argv[4] : "", error);
    if (!job) {
        std::fprintf(stderr, "%s\n", error.c_str());
        return 1;
    }
    Loop loop{job, argv[2]};
    const double cpu_before = cpu_seconds();
    const std::uint64_t allocations_before = bench::allocations();
    for (int i = 0; i < concurrency; ++i) {
        loop.next();
    }
    loop.context.run();
    const double used = cpu_seconds() - cpu_before;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        "{\"name\":\"check_cost\",\"n\":%zu,\"err\":%zu,\"cpu_us\":%.2f,\"rtt_p50\":%.1f,\"rtt_"
        "p99\":%.1f,\"allocations\":%.2f,"
        "\"rss_kb\":%ld}\n",
        loop.rtts.size(),
        loop.failures,
        used * 1e6 /
            static_cast<double>(std::max<std::size_t>(1, loop.rtts.size() + loop.failures)),
        percentile(loop.rtts, 0.5),
        percentile(loop.rtts, 0.99),
        static_cast<double>(bench::allocations() - allocations_before) /
            static_cast<double>(std::max<std::size_t>(1, loop.rtts.size() + loop.failures)),
        usage.ru_maxrss);
    return loop.failures == 0 ? 0 : 1;
}

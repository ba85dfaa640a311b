// CPU for one check of a url, 64 at a time on one thread, everything on: phases, kernel timestamps,
// TCP_INFO, one deadline each, and every result recorded in a store. Prints the line of
// anchors-like clients, so that both can be put side by side:   check_cost URL SECONDS [CONFIG
// [MODULE]]

#include "config/service.hpp"
#include "exporter/engine/runner.hpp"
#include "exporter/metrics/store.hpp"
#include "exporter/plan/plan.hpp"
#include "probes/net/reactor.hpp"
#include "probes/net/resolver.hpp"

#include <boost/asio/io_context.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <utility>
#include <vector>

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

using namespace sonde;

constexpr int concurrency = 64;

double cpu_seconds() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double percentile(std::vector<double>& values, double share) {
    if (values.empty()) {
        return 0;
    }
    const auto at = std::min(values.size() - 1,
                             static_cast<std::size_t>(share * static_cast<double>(values.size())));
    std::nth_element(
        values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

/// Checks one after the other in each of its places, every result recorded.
struct Loop {
    Loop(exporter::JobPtr wanted, double seconds)
        : job(std::move(wanted)),
          target(job, &job->target),
          end(clock.now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                std::chrono::duration<double>(seconds))),
          id(store.add(*job)) {
        rtts.reserve(10'000'000);
    }

    void next() {
        runner.start(job->probe, target, job->timeout, [this](exporter::Runner::Outcome&& outcome) {
            store.record(id, outcome.started_unix, outcome.result);
            if (outcome.result.success()) {
                rtts.push_back(
                    std::chrono::duration<double, std::micro>(*outcome.result.rtt).count());
            } else if (failures++ == 0) {
                std::fprintf(stderr, "%s\n", outcome.result.detail.c_str());
            }
            if (clock.now() < end) {
                next();
            } else if (runner.in_flight() == 0) {
                runner.close();
                resolver.close();
                reactor.close();
            }
        });
    }

    exporter::JobPtr job;
    std::shared_ptr<const probes::Target> target;
    const probes::net::Clock& clock = probes::net::Clock::system();
    probes::net::TimePoint end;
    boost::asio::io_context context{1};
    probes::net::Reactor reactor{context};
    probes::net::Resolver resolver{reactor, clock, {}};
    exporter::Runner runner{{context.get_executor(), clock, reactor, resolver}};
    exporter::MetricStore store{config::Metrics{}.rtt_buckets, {}};
    exporter::MetricStore::Id id;
    std::vector<double> rtts;
    std::size_t failures = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: check_cost URL SECONDS [CONFIG [MODULE]]\n");
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
    Loop loop{job, std::atof(argv[2])};
    const double cpu_before = cpu_seconds();
    const std::size_t allocations_before = allocations;
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
        static_cast<double>(allocations - allocations_before) /
            static_cast<double>(std::max<std::size_t>(1, loop.rtts.size() + loop.failures)),
        usage.ru_maxrss);
    return loop.failures == 0 ? 0 : 1;
}

// What the metric store costs: store_bench [TARGETS [REPEATS]]. Prints bytes a target (idle, after
// a check), and nanoseconds a record and a sample of text. Fails when recording the same readings
// again allocates.
#include "exporter/metrics/exposition.hpp"
#include "exporter/metrics/store.hpp"

#include "tests/bench/allocations.hpp"
#include "tests/bench/measure.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace sonde;  // NOLINT(google-build-using-namespace)
using bench::cpu_seconds;
using exporter::MetricStore;
using probes::Family;
using probes::Measurement;

double heap_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

exporter::Job make_job(std::size_t number) {
    static const auto labels =
        std::make_shared<const exporter::Labels>(exporter::Labels{{"team", "web"}});
    char name[64];
    std::snprintf(name, sizeof name, "https://shop-%07zu.example/", number);
    exporter::Job job;
    job.target.name = name;
    job.shown_url = name;
    job.kind = "http";
    job.labels = labels;
    job.interval = std::chrono::seconds{30};
    return job;
}

// An HTTPS website that is well.
probes::ProbeResult make_result() {
    probes::ProbeResult result;
    result.failure = probes::Failure::none;
    result.duration = std::chrono::nanoseconds{123'456'789};
    result.rtt = std::chrono::nanoseconds{123'400'111};
    probes::Readings& readings = result.readings;
    readings.set(Measurement::ip_protocol, 4.0);
    readings.set(Measurement::http_status_code, 200.0);
    readings.set(Measurement::http_version, 1.1);
    readings.set(Measurement::http_redirects, 0.0);
    readings.set(Measurement::http_content_length, 5120.0);
    readings.set(Measurement::http_ssl, 1.0);
    readings.set(Measurement::http_resolve, 0.001234567);
    readings.set(Measurement::http_connect, 0.012345678);
    readings.set(Measurement::http_tls, 0.023456789);
    readings.set(Measurement::http_processing, 0.054321098);
    readings.set(Measurement::http_transfer, 0.032109876);
    readings.set(Measurement::http_other, 0.000012345);
    readings.set(Measurement::ssl_earliest_cert_expiry, 1'900'000'000.0);
    readings.set(Measurement::ssl_last_chain_expiry, 1'900'000'000.0);
    readings.set(Measurement::tls_verified, 1.0);
    readings.set(Measurement::tcp_rtt, 0.011987);
    const auto labels = [](std::vector<std::string> values) {
        return std::make_shared<const std::vector<std::string>>(std::move(values));
    };
    result.labelled = {{Family::tls_version_info, labels({"TLS 1.3"}), 1},
                       {Family::ssl_last_chain_info,
                        labels({std::string(64, 'f'),
                                "CN=shop.example",
                                "CN=R3,O=Let's Encrypt,C=US",
                                "shop.example",
                                "4a1b2c3d4e5f60718293a4b5c6d7e8f9"}),
                        1}};
    return result;
}

class Bench {
public:
    explicit Bench(std::size_t targets)
        : targets_(targets),
          store_({0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}, {}) {}

    void add_targets() {
        ids_.reserve(targets_);
        const double before = heap_bytes();
        const auto start = cpu_seconds();
        for (std::size_t i = 0; i < targets_; ++i) {
            ids_.push_back(store_.add(make_job(i)));
        }
        std::printf("add       %8.1f ns a target\n", per_target(start));
        std::printf("idle      %8.1f bytes a target\n", bytes_since(before));
        empty_ = before;
    }

    void record(const char* what) {
        const auto started =
            probes::net::UnixTime{std::chrono::nanoseconds{1'700'000'000'123'456'789}};
        const std::uint64_t before = bench::allocations();
        const auto start = cpu_seconds();
        for (std::size_t i = 0; i < targets_; ++i) {
            // Not in the order of the store: checks come as they are due.
            store_.record(ids_[i * 7919 % targets_], started, result_);
        }
        std::printf("record    %8.1f ns a target, %llu allocations (%s)\n",
                    per_target(start),
                    static_cast<unsigned long long>(bench::allocations() - before),
                    what);
        last_allocations_ = bench::allocations() - before;
    }

    void print_checked() const {
        std::printf("checked   %8.1f bytes a target\n", bytes_since(empty_));
    }

    void scrape(exporter::ExpositionFormat format, const char* what) const {
        const auto body = exporter::make_exposition(format, store_, {}, {});
        std::string piece;
        std::size_t bytes = 0;
        std::size_t lines = 0;
        std::size_t largest = 0;
        double spent = 0;
        for (bool more = true; more;) {
            piece.clear();
            const auto start = cpu_seconds();
            more = body->next(piece);
            spent += cpu_seconds() - start;
            bytes += piece.size();
            largest = std::max(largest, piece.size());
            lines += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n'));
        }
        std::printf(
            "%-11s %6.1f ns a sample, %zu samples (%.1f a target), %.1f MB, %.2f s, largest piece "
            "%zu KB\n",
            what,
            spent * 1e9 / static_cast<double>(lines),
            lines,
            static_cast<double>(lines) / static_cast<double>(targets_),
            static_cast<double>(bytes) / 1e6,
            spent,
            largest / 1024);
    }

    [[nodiscard]] bool allocated_again() const { return last_allocations_ != 0; }

private:
    [[nodiscard]] double per_target(double start) const {
        return (cpu_seconds() - start) * 1e9 / static_cast<double>(targets_);
    }

    [[nodiscard]] double bytes_since(double before) const {
        return (heap_bytes() - before) / static_cast<double>(targets_);
    }

    std::size_t targets_;
    MetricStore store_;
    std::vector<MetricStore::Id> ids_;
    probes::ProbeResult result_ = make_result();
    double empty_ = 0;
    std::uint64_t last_allocations_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const std::size_t targets = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000;
    const int repeats = argc > 2 ? std::atoi(argv[2]) : 3;
    if (targets == 0) {
        std::fputs("usage: store_bench [TARGETS [REPEATS]]\n", stderr);
        return 2;
    }
    Bench bench(targets);
    bench.add_targets();
    bench.record("first check");
    bench.record("again");
    bench.print_checked();
    for (int i = 0; i < repeats; ++i) {
        bench.scrape(exporter::ExpositionFormat::text, "text");
        bench.scrape(exporter::ExpositionFormat::openmetrics, "openmetrics");
    }
    if (bench.allocated_again()) {
        std::fputs("recording the same readings again allocated memory\n", stderr);
        return 1;
    }
    return 0;
}

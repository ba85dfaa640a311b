#include "exporter/metrics/cursor.hpp"

#include "exporter/metrics/label_text.hpp"

#include "tests/exporter/metrics/store_fixture.hpp"

#include <doctest/doctest.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <cmath>
#include <latch>
#include <set>
#include <thread>

using namespace sonde;         // NOLINT(google-build-using-namespace)
using namespace sonde::tests;  // NOLINT(google-build-using-namespace)
using exporter::MetricStore;
using exporter::SkipReason;
using probes::Failure;
using probes::Family;

TEST_CASE("metric_cursor: many pages keep each family together and every target once") {
    constexpr std::size_t targets = 1000;
    MetricStore store({1}, {});
    std::vector<MetricStore::Id> ids;
    for (std::size_t i = 0; i < targets; ++i) {
        ids.push_back(store.add(make_job("t" + std::to_string(i))));
        store.record(ids.back(), unix_time(0), success(std::chrono::milliseconds{i}));
    }
    for (std::size_t i = 0; i < targets; i += 3) {
        store.remove(ids[i]);
    }
    CHECK(store.size() == targets - 334);
    MetricStore::Cursor cursor(store, {});
    std::set<std::string_view> ended;
    std::string_view current;
    std::size_t successes = 0;
    while (cursor.next()) {
        if (cursor.family().name != current) {
            CHECK(ended.insert(current).second);
            current = cursor.family().name;
        }
        CHECK_FALSE(cursor.samples().empty());
        successes += cursor.family().family == Family::success ? cursor.samples().size() : 0;
    }
    CHECK(successes == store.size());
    CHECK(states(store).size() == store.size());
}

TEST_CASE("metric_cursor: a walk does not show a target twice that is removed and added again") {
    MetricStore store({1}, {});
    std::vector<MetricStore::Id> ids;
    ids.reserve(200);
    for (int i = 0; i < 200; ++i) {
        ids.push_back(store.add(make_job("t" + std::to_string(i))));
    }
    MetricStore::Cursor cursor(store, {{"probe_interval_seconds"}});
    REQUIRE(cursor.next());
    Lines seen;
    for (const auto& sample : cursor.samples()) {
        seen.emplace_back(sample.labels);
    }
    // Pages later than the one that was read get t0 again.
    store.remove(ids[0]);
    store.remove(ids[150]);
    store.add(make_job("t0"));
    while (cursor.next()) {
        for (const auto& sample : cursor.samples()) {
            seen.emplace_back(sample.labels);
        }
    }
    CHECK(std::ranges::count(seen, R"(target="t0")") == 1);
    CHECK(std::ranges::count(seen, R"(target="t150")") == 0);
    CHECK(seen.size() == 199);
    CHECK(count_with(named(store, "probe_interval_seconds"), R"(target="t0")") == 1);
}

TEST_CASE("metric_cursor: a selection names families; those that are off stay off") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("a"));
    store.record(id, unix_time(0), https_result());
    const Lines some =
        lines(store, {"probe_success", "probe_checks_total", "probe_tcp_retransmits"});
    CHECK(some.size() == 3);
    CHECK(lines(store, {"nonsense"}).empty());
    CHECK(lines(MetricStore({1}, {})).empty());
}

TEST_CASE("metric_cursor: Collect says what the cursor says") {
    MetricStore store(default_buckets(), all_extras());
    const auto id = store.add(make_job("shop", {{"team", "we\"b"}}));
    store.add(make_job("idle"));
    store.record(id, unix_time(1000), https_result());
    store.record(id, unix_time(2000), failure(Failure::timeout, "late"));
    store.record(id, unix_time(3000), https_result());

    Lines collected;
    for (const prometheus::MetricFamily& family : store.Collect()) {
        for (const prometheus::ClientMetric& metric : family.metric) {
            std::string labels;
            for (const auto& label : metric.label) {
                exporter::append_label(labels, label.name, label.value);
            }
            labels.erase(0, 1);
            if (family.type == prometheus::MetricType::Histogram) {
                CHECK(metric.histogram.bucket.size() == default_buckets().size() + 1);
                CHECK(std::isinf(metric.histogram.bucket.back().upper_bound));
                CHECK(metric.histogram.bucket.front().upper_bound == 0.005);
                CHECK(metric.histogram.bucket.back().cumulative_count ==
                      metric.histogram.sample_count);
                collected.push_back(family.name + '{' + labels + "} " +
                                    std::to_string(metric.histogram.sample_count));
            } else {
                const bool counter = family.type == prometheus::MetricType::Counter;
                CHECK(counter == family.name.ends_with("_total"));
                collected.push_back(
                    family.name + '{' + labels + "} " +
                    std::to_string(counter ? metric.counter.value : metric.gauge.value));
            }
        }
    }
    Lines walked;
    MetricStore::Cursor cursor(store, {});
    while (cursor.next()) {
        for (const auto& sample : cursor.samples()) {
            const std::string labels =
                '{' + std::string{sample.labels} + std::string{sample.more} + "} ";
            if (sample.name.ends_with("_count")) {
                walked.push_back("probe_rtt_seconds" + labels +
                                 std::to_string(static_cast<std::uint64_t>(sample.value)));
            } else if (cursor.family().type != probes::MetricType::histogram) {
                walked.push_back(std::string{sample.name} + labels + std::to_string(sample.value));
            }
        }
    }
    CHECK(collected == walked);
}

TEST_CASE("metric_cursor: workers record while scrapes walk and a reload changes the plan") {
    constexpr std::size_t workers = 4;
    constexpr std::size_t targets_each = 100;
    constexpr std::size_t rounds = 50;
    MetricStore store({0.1, 1}, all_extras());
    std::vector<std::vector<MetricStore::Id>> ids(workers);
    for (std::size_t i = 0; i < workers * targets_each; ++i) {
        ids[i % workers].push_back(store.add(make_job("t" + std::to_string(i))));
    }
    std::latch start(workers + 2);
    {
        std::vector<std::jthread> threads;
        for (std::size_t worker = 0; worker < workers; ++worker) {
            threads.emplace_back([&, worker] {
                const auto good = https_result();
                const auto bad = failure(Failure::timeout, "late");
                start.arrive_and_wait();
                for (std::size_t round = 0; round < rounds; ++round) {
                    for (const auto id : ids[worker]) {
                        store.record(id, unix_time(1000), round % 2 == 0 ? good : bad);
                        store.skip(id, SkipReason::overrun);
                    }
                }
            });
        }
        threads.emplace_back([&] {
            start.arrive_and_wait();
            for (std::size_t round = 0; round < rounds; ++round) {
                const auto id = store.add(make_job("passing"));
                store.record(id, unix_time(1000), https_result());
                store.update(id, make_job("passing", {{"round", std::to_string(round)}}));
                store.remove(id);
                store.configure({0.1, round % 2 == 0 ? 2.0 : 1.0}, all_extras());
            }
        });
        start.arrive_and_wait();
        for (int walk = 0; walk < 10; ++walk) {
            MetricStore::Cursor cursor(store, {{"probe_checks_total", "probe_rtt_seconds"}});
            double cumulative = 0;
            bool ascending = true;
            while (cursor.next()) {
                for (const auto& sample : cursor.samples()) {
                    if (sample.name.ends_with("_bucket")) {
                        const bool first = sample.more == R"(,le="0.1")";
                        ascending = ascending && (first || sample.value >= cumulative);
                        cumulative = sample.value;
                    } else if (sample.name.ends_with("_count")) {
                        ascending = ascending && sample.value == cumulative;
                    }
                }
            }
            CHECK(ascending);
            CHECK(states(store).size() >= workers * targets_each);
            CHECK_FALSE(lines(store).empty());
        }
    }
    CHECK(store.size() == workers * targets_each);
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
    for (const auto& state : states(store)) {
        successes += state.successes;
        failures += state.failures;
    }
    CHECK(successes == workers * targets_each * rounds / 2);
    CHECK(failures == workers * targets_each * rounds / 2);
}

// What the store shows by its settings: buckets, and families beyond the default set.
#include "exporter/metrics/store.hpp"

#include "tests/exporter/metrics/store_fixture.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <stdexcept>

using namespace sonde;         // NOLINT(google-build-using-namespace)
using namespace sonde::tests;  // NOLINT(google-build-using-namespace)
using exporter::Labels;
using exporter::MetricStore;
using exporter::SkipReason;
using probes::Failure;
using probes::Family;
using probes::Measurement;

TEST_CASE("metric_store: an HTTPS target without patterns has at most 45 series by default") {
    MetricStore store(default_buckets(), {});
    const auto id = store.add(make_job("shop", {{"team", "web"}}));
    store.record(id, unix_time(1000), https_result());
    const Lines all = lines(store);
    CHECK(all.size() == 41);
    CHECK(count_with(all, "probe_rtt_seconds_") == 14);
    // What it may gain: a skip of each kind, and of failures the info and the reason it now has.
    store.skip(id, SkipReason::overload);
    store.skip(id, SkipReason::overrun);
    auto bad = https_result();
    bad.failure = Failure::unexpected_status;
    store.record(id, unix_time(2000), bad);
    CHECK(lines(store).size() <= 45);
    CHECK(std::set<std::string>(all.begin(), all.end()).size() == all.size());
}

TEST_CASE("metric_store: extra families are there when asked for") {
    MetricStore lean({1}, {});
    MetricStore all({1}, all_extras());
    const auto lean_id = lean.add(make_job("a"));
    const auto all_id = all.add(make_job("a"));
    lean.record(lean_id, unix_time(0), https_result());
    all.record(all_id, unix_time(0), https_result());
    auto missing = https_result();
    missing.readings.set(Measurement::http_status_code, 404.0);
    all.record(all_id, unix_time(0), missing);
    for (const std::string& extra : all_extras()) {
        CAPTURE(extra);
        CHECK(named(lean, extra).empty());
        CHECK(named(all, extra).size() == (extra == "probe_http_responses_total" ? 2 : 1));
    }
    CHECK(named(all, "probe_http_responses_total") ==
          Lines{R"(probe_http_responses_total{target="a",code="200"} 1)",
                R"(probe_http_responses_total{target="a",code="404"} 1)"});
}

TEST_CASE("metric_store: settings that make no sense are refused") {
    CHECK_THROWS_AS(MetricStore({1, 1}, {}), std::invalid_argument);
    CHECK_THROWS_AS(MetricStore({2, 1}, {}), std::invalid_argument);
    CHECK_THROWS_AS(MetricStore({std::numeric_limits<double>::infinity()}, {}),
                    std::invalid_argument);
    CHECK_THROWS_AS(MetricStore({std::numeric_limits<double>::quiet_NaN()}, {}),
                    std::invalid_argument);
    CHECK_THROWS_WITH(MetricStore({1}, {"probe_nonsense"}), "no metric is named probe_nonsense");
}

TEST_CASE("metric_store: other buckets empty the histograms and nothing else") {
    MetricStore store({0.1, 1}, {});
    const auto id = store.add(make_job("shop"));
    store.record(id, unix_time(1'000'000), success(std::chrono::milliseconds{250}));

    store.configure({0.1, 1}, {});
    CHECK(named(store, "probe_rtt_seconds").back() ==
          R"(probe_rtt_seconds_count{target="shop"} 1)");

    store.configure({0.2, 0.3, 2}, {});
    CHECK(named(store, "probe_rtt_seconds") ==
          Lines{R"(probe_rtt_seconds_bucket{target="shop",le="0.2"} 0)",
                R"(probe_rtt_seconds_bucket{target="shop",le="0.3"} 0)",
                R"(probe_rtt_seconds_bucket{target="shop",le="2.0"} 0)",
                R"(probe_rtt_seconds_bucket{target="shop",le="+Inf"} 0)",
                R"(probe_rtt_seconds_sum{target="shop"} 0)",
                R"(probe_rtt_seconds_count{target="shop"} 0)"});
    CHECK(named(store, "probe_checks_total").front() ==
          R"(probe_checks_total{target="shop",result="success"} 1)");
    CHECK(named(store, "probe_success") == Lines{R"(probe_success{target="shop"} 1)"});

    store.record(id, unix_time(1'030'000), success(std::chrono::milliseconds{250}));
    CHECK(named(store, "probe_rtt_seconds")[1] ==
          R"(probe_rtt_seconds_bucket{target="shop",le="0.3"} 1)");
}

TEST_CASE("metric_store: extra families come and go with the settings") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("shop"));
    const auto result = https_result();
    store.record(id, unix_time(1'000'000), result);
    const Lines lean = lines(store);

    store.configure({1}, all_extras());
    CHECK(lines(store) == lean);  // what was not kept is not known
    store.record(id, unix_time(1'030'000), result);
    const Lines full = lines(store);
    CHECK(full.size() > lean.size());

    store.configure({1}, {});
    CHECK(lines(store).size() == lean.size());
    store.configure({1}, all_extras());
    CHECK(lines(store).size() == lean.size());
    store.record(id, unix_time(1'060'000), result);
    CHECK(lines(store).size() == full.size());

    CHECK_THROWS_AS(store.configure({1, 1}, {}), std::invalid_argument);
    CHECK_THROWS_AS(store.configure({1}, {"no_such_metric"}), std::invalid_argument);
    CHECK(lines(store).size() == full.size());
}

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

TEST_CASE(
    "metric_store: before the first check only counters, histogram, interval and info exist") {
    MetricStore store({0.1, 1}, {});
    store.add(make_job("shop", {{"env", "prod"}, {"team", "web"}}));
    const std::string labels = R"(target="shop",env="prod",team="web")";
    CHECK(lines(store) == Lines{"probe_rtt_seconds_bucket{" + labels + R"(,le="0.1"} 0)",
                                "probe_rtt_seconds_bucket{" + labels + R"(,le="1.0"} 0)",
                                "probe_rtt_seconds_bucket{" + labels + R"(,le="+Inf"} 0)",
                                "probe_rtt_seconds_sum{" + labels + "} 0",
                                "probe_rtt_seconds_count{" + labels + "} 0",
                                "probe_checks_total{" + labels + R"(,result="success"} 0)",
                                "probe_checks_total{" + labels + R"(,result="failure"} 0)",
                                "probe_interval_seconds{" + labels + "} 30",
                                "probe_target_info{" + labels +
                                    R"(,url="https://shop.example/",kind="http",module=""} 1)"});
}

TEST_CASE("metric_store: a success and a failure, and what each leaves") {
    MetricStore store({0.1, 1}, {});
    const auto id = store.add(make_job("shop"));
    auto good = success(std::chrono::milliseconds{250});
    good.readings.set(Measurement::http_status_code, 200.0);
    good.readings.set(Measurement::http_connect, 0.5);
    store.record(id, unix_time(1'000'500), good);

    CHECK(named(store, "probe_success") == Lines{R"(probe_success{target="shop"} 1)"});
    CHECK(named(store, "probe_duration_seconds") ==
          Lines{R"(probe_duration_seconds{target="shop"} 0.251)"});
    CHECK(named(store, "probe_last_success_timestamp_seconds") ==
          Lines{R"(probe_last_success_timestamp_seconds{target="shop"} 1000.5)"});
    CHECK(named(store, "probe_http_duration_seconds") ==
          Lines{R"(probe_http_duration_seconds{target="shop",phase="connect"} 0.5)"});
    CHECK(named(store, "probe_failure_info").empty());
    CHECK(named(store, "probe_failures_total").empty());

    store.record(id, unix_time(1'030'500), failure(Failure::timeout, "no answer"));
    store.record(id, unix_time(1'060'500), failure(Failure::connect_refused, "refused"));

    CHECK(named(store, "probe_success") == Lines{R"(probe_success{target="shop"} 0)"});
    CHECK(named(store, "probe_last_check_timestamp_seconds") ==
          Lines{R"(probe_last_check_timestamp_seconds{target="shop"} 1060.5)"});
    CHECK(named(store, "probe_last_success_timestamp_seconds") ==
          Lines{R"(probe_last_success_timestamp_seconds{target="shop"} 1000.5)"});
    CHECK(named(store, "probe_checks_total") ==
          Lines{R"(probe_checks_total{target="shop",result="success"} 1)",
                R"(probe_checks_total{target="shop",result="failure"} 2)"});
    CHECK(named(store, "probe_failures_total") ==
          Lines{R"(probe_failures_total{target="shop",reason="timeout"} 1)",
                R"(probe_failures_total{target="shop",reason="connect_refused"} 1)"});
    CHECK(named(store, "probe_failure_info") ==
          Lines{R"(probe_failure_info{target="shop",reason="connect_refused"} 1)"});
    // What the last check did not measure is absent.
    CHECK(named(store, "probe_http_status_code").empty());
    CHECK(named(store, "probe_http_duration_seconds").empty());
    // The histogram has the one whole answer.
    CHECK(count_with(named(store, "probe_rtt_seconds"), R"(_count{target="shop"} 1)") == 1);

    store.record(id, unix_time(1'090'500), good);
    CHECK(named(store, "probe_failure_info").empty());
    CHECK(named(store, "probe_failures_total").size() == 2);
}

TEST_CASE("metric_store: a target that never succeeded has no last success") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("gone"));
    store.record(id, unix_time(1000), failure(Failure::resolve_failed, "no such name"));
    CHECK(named(store, "probe_last_success_timestamp_seconds").empty());
    CHECK(named(store, "probe_last_check_timestamp_seconds").size() == 1);
}

TEST_CASE("metric_store: probe_up follows so many verdicts in a row, the first check at once") {
    MetricStore store({1}, {});
    exporter::Job job = make_job("shop");
    job.confirmation = {.rechecks = 0, .failures_to_down = 3, .successes_to_up = 2};
    const auto id = store.add(job);
    CHECK(named(store, "probe_up").empty());
    std::string seen;
    for (const char verdict : std::string_view{"+--+---+-++--+---"}) {
        store.record(id,
                     unix_time(1000),
                     verdict == '+' ? success(std::chrono::milliseconds{10})
                                    : failure(Failure::timeout, "late"));
        seen += named(store, "probe_up").front().back();
    }
    CHECK(seen == "11111100001111110");
    store.remove(id);
    const auto next = store.add(make_job("next"));
    store.record(next, unix_time(1000), failure(Failure::timeout, "late"));
    CHECK(named(store, "probe_up") == Lines{R"(probe_up{target="next"} 0)"});
    store.record(next, unix_time(2000), success(std::chrono::milliseconds{10}));
    CHECK(named(store, "probe_up") == Lines{R"(probe_up{target="next"} 1)"});
}

TEST_CASE("metric_store: buckets hold what is less than or equal to their bound, cumulatively") {
    MetricStore store({0.1, 0.25, 1}, {});
    const auto id = store.add(make_job("a"));
    for (const int ms : {50, 100, 101, 250, 900, 4000}) {
        store.record(id, unix_time(0), success(std::chrono::milliseconds{ms}));
    }
    // A bad status is a whole answer all the same.
    auto bad = failure(Failure::unexpected_status, "503");
    bad.rtt = std::chrono::milliseconds{60};
    store.record(id, unix_time(0), bad);
    CHECK(named(store, "probe_rtt_seconds") ==
          Lines{R"(probe_rtt_seconds_bucket{target="a",le="0.1"} 3)",
                R"(probe_rtt_seconds_bucket{target="a",le="0.25"} 5)",
                R"(probe_rtt_seconds_bucket{target="a",le="1.0"} 6)",
                R"(probe_rtt_seconds_bucket{target="a",le="+Inf"} 7)",
                R"(probe_rtt_seconds_sum{target="a"} 5.461)",
                R"(probe_rtt_seconds_count{target="a"} 7)"});
}

TEST_CASE("metric_store: labelled readings are those of the last result") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("a"));
    auto result = success(std::chrono::milliseconds{5});
    result.labelled = {labelled(Family::regex_match, {"Welcome"}, 1),
                       labelled(Family::expectation_met, {"no_error"}, 0),
                       labelled(Family::regex_match, {"say \"hi\"\\\n"}, 0),
                       labelled(Family::tls_cipher_info, {"not asked for"}, 1)};
    store.record(id, unix_time(0), result);
    CHECK(named(store, "probe_regex_match") ==
          Lines{R"(probe_regex_match{target="a",regex="Welcome"} 1)",
                R"(probe_regex_match{target="a",regex="say \"hi\"\\\n"} 0)"});
    CHECK(named(store, "probe_expectation_met") ==
          Lines{R"(probe_expectation_met{target="a",name="no_error"} 0)"});
    CHECK(named(store, "probe_tls_cipher_info").empty());

    result.labelled = {labelled(Family::expectation_met, {"no_error"}, 1)};
    store.record(id, unix_time(0), result);
    CHECK(named(store, "probe_regex_match").empty());
    CHECK(named(store, "probe_expectation_met") ==
          Lines{R"(probe_expectation_met{target="a",name="no_error"} 1)"});
}

TEST_CASE("metric_store: skipped checks are counted once they happen") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("a"));
    CHECK(named(store, "probe_skipped_total").empty());
    store.skip(id, SkipReason::overload);
    store.skip(id, SkipReason::overload);
    CHECK(named(store, "probe_skipped_total") ==
          Lines{R"(probe_skipped_total{target="a",reason="overload"} 2)"});
    store.skip(id, SkipReason::overrun);
    CHECK(named(store, "probe_skipped_total").size() == 2);
}

TEST_CASE("metric_store: dead connections are counted once they happen") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("a"));
    store.record(id, unix_time(1000), success(std::chrono::milliseconds{1}));
    CHECK(named(store, "probe_http_dead_connections_total").empty());
    auto result = success(std::chrono::milliseconds{1});
    result.dead_connections = 2;
    store.record(id, unix_time(2000), result);
    store.record(id, unix_time(3000), success(std::chrono::milliseconds{1}));
    CHECK(named(store, "probe_http_dead_connections_total") ==
          Lines{R"(probe_http_dead_connections_total{target="a"} 2)"});
    store.remove(id);
    CHECK(store.add(make_job("b")) == id);
    CHECK(named(store, "probe_http_dead_connections_total").empty());
}

TEST_CASE("metric_store: a body is compared with the last that came whole") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("a"));
    const auto record = [&](const char* body) {
        auto result = success(std::chrono::milliseconds{1});
        if (body != nullptr) {
            result.body_digest = probes::sha256(body);
        }
        store.record(id, unix_time(1000), result);
        return named(store, "probe_http_body_changed");
    };
    const Lines same{R"(probe_http_body_changed{target="a"} 0)"};
    const Lines changed{R"(probe_http_body_changed{target="a"} 1)"};
    CHECK(record("one").empty());
    CHECK(record("one") == same);
    CHECK(record("two") == changed);
    CHECK(record(nullptr).empty());
    CHECK(record("two") == same);
    store.remove(id);
    CHECK(store.add(make_job("b")) == id);
    CHECK(record("two").empty());
}

TEST_CASE("metric_store: an edited target keeps its counters and shows its new labels") {
    MetricStore store({1}, {});
    const auto before = store.add(make_job("a"));
    const auto id = store.add(make_job("b", {{"team", "web"}}));
    const auto after = store.add(make_job("c"));
    for (const auto each : {before, id, after}) {
        store.record(each, unix_time(0), success(std::chrono::milliseconds{5}));
    }
    auto job = make_job("b", {{"env", "test"}, {"team", "a longer name than before"}});
    job.interval = std::chrono::milliseconds{1500};
    job.module = std::make_shared<const std::string>("api");
    store.update(id, job);
    CHECK(named(store, "probe_success") ==
          Lines{R"(probe_success{target="a"} 1)",
                R"(probe_success{target="b",env="test",team="a longer name than before"} 1)",
                R"(probe_success{target="c"} 1)"});
    CHECK(count_with(lines(store), R"(probe_rtt_seconds_count{target="b",env="test")") == 1);
    CHECK(count_with(named(store, "probe_interval_seconds"), "} 1.5") == 1);
    CHECK(count_with(named(store, "probe_target_info"), R"(kind="http",module="api")") == 1);
}

TEST_CASE("metric_store: a removed target is gone at once and leaves nothing to the next") {
    MetricStore store({1}, all_extras());
    const auto id = store.add(make_job("old"));
    store.record(id, unix_time(0), https_result());
    store.record(id, unix_time(0), failure(Failure::timeout, "late"));
    store.skip(id, SkipReason::overrun);
    store.remove(id);
    CHECK(store.size() == 0);
    CHECK(lines(store).empty());
    CHECK(states(store).empty());
    // A result that comes after all is dropped.
    store.record(id, unix_time(0), https_result());
    store.skip(id, SkipReason::overrun);

    MetricStore fresh({1}, all_extras());
    fresh.add(make_job("new"));
    CHECK(store.add(make_job("new")) == id);
    CHECK(lines(store) == lines(fresh));
    CHECK(states(store).front().detail.empty());
}

TEST_CASE("metric_store: the state of each target") {
    MetricStore store({1}, {});
    auto job = make_job("say \"hi\"\\", {{"team", "we\nb"}});
    job.module = std::make_shared<const std::string>("api");
    const auto id = store.add(job);
    MetricStore::State state = states(store).front();
    CHECK(state.name == "say \"hi\"\\");
    CHECK(state.labels == Labels{{"team", "we\nb"}});
    CHECK(state.url == job.shown_url);
    CHECK(state.kind == "http");
    CHECK(state.module == "api");
    CHECK(state.interval_seconds == 30);
    CHECK_FALSE(state.success.has_value());
    CHECK_FALSE(state.status_code.has_value());

    store.record(id, unix_time(1500), https_result());
    state = states(store).front();
    CHECK(state.success == true);
    CHECK(state.status_code == 200);
    CHECK(state.rtt_seconds == doctest::Approx(0.12));
    CHECK(state.duration_seconds == doctest::Approx(0.121));
    CHECK(state.last_check_unix == 1.5);

    store.record(id, unix_time(2500), failure(Failure::tls_alert, "handshake failure"));
    state = states(store).front();
    CHECK(state.success == false);
    CHECK(state.failure == Failure::tls_alert);
    CHECK(state.detail == "handshake failure");
    CHECK_FALSE(state.status_code.has_value());
    CHECK_FALSE(state.rtt_seconds.has_value());
    CHECK(state.successes == 1);
    CHECK(state.failures == 1);

    store.record(id, unix_time(3500), https_result());
    CHECK(states(store).front().detail.empty());
}

TEST_CASE("metric_store: a visitor may end the walk over states") {
    MetricStore store({1}, {});
    for (int i = 0; i < 100; ++i) {
        store.add(make_job("t" + std::to_string(i)));
    }
    int visits = 0;
    store.for_each([&](const MetricStore::State&) { return ++visits < 70; });
    CHECK(visits == 70);
}

TEST_CASE("metric_store: a target of another kind begins anew") {
    MetricStore store({1}, {});
    const auto id = store.add(make_job("shop"));
    const Lines fresh = lines(store);
    store.record(id, unix_time(1'000'000), https_result());
    exporter::Job job = make_job("shop");
    job.kind = "tcp";
    store.update(id, job);
    CHECK(lines(store).size() == fresh.size());
    CHECK(named(store, "probe_checks_total").front() ==
          R"(probe_checks_total{target="shop",result="success"} 0)");
}

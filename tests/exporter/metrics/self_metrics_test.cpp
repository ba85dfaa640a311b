#include "exporter/metrics/self_metrics.hpp"

#include <doctest/doctest.h>
#include <prometheus/metric_family.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

using namespace sonde::exporter;  // NOLINT(google-build-using-namespace)

namespace {

using Families = std::map<std::string, prometheus::MetricFamily>;

Families collect(const prometheus::Collectable& collectable) {
    Families found;
    for (const prometheus::MetricFamily& family : collectable.Collect()) {
        if (!family.metric.empty()) {
            found.emplace(family.name, family);
        }
    }
    return found;
}

// The value of the family's only series, or of the one with this label value.
std::optional<double> value(const Families& families,
                            const std::string& name,
                            const std::string& label_value = "") {
    const auto family = families.find(name);
    if (family == families.end()) {
        return std::nullopt;
    }
    for (const prometheus::ClientMetric& metric : family->second.metric) {
        const bool wanted = label_value.empty() ? metric.label.empty()
                                                : metric.label.size() == 1 &&
                                                      metric.label.front().value == label_value;
        if (wanted) {
            return family->second.type == prometheus::MetricType::Counter ? metric.counter.value
                                                                          : metric.gauge.value;
        }
    }
    return std::nullopt;
}

std::string_view type_name(prometheus::MetricType type) {
    switch (type) {
        case prometheus::MetricType::Counter:
            return "counter";
        case prometheus::MetricType::Gauge:
            return "gauge";
        case prometheus::MetricType::Histogram:
            return "histogram";
        default:
            return "other";
    }
}

void use_everything(SelfMetrics& metrics) {
    metrics.set_targets({{"http", 2}});
    metrics.config_loaded(sonde::probes::net::UnixTime{std::chrono::seconds{1'700'000'000}});
    metrics.scrape_finished(std::chrono::milliseconds{5});
}

}  // namespace

TEST_CASE("self_metrics: what was not measured yet is absent, counters are there from the start") {
    const SelfMetrics metrics("1.2.3", 2);
    const Families families = collect(*metrics.collectable());
    CHECK(value(families, "sonde_build_info", "1.2.3") == 1);
    CHECK(value(families, "sonde_checks_in_flight") == 0);
    CHECK(value(families, "sonde_config_reloads_total", "success") == 0);
    CHECK(value(families, "sonde_config_reloads_total", "failure") == 0);
    CHECK(value(families, "sonde_receive_timestamps_total", "kernel") == 0);
    CHECK(value(families, "sonde_worker_busy_ratio", "1") == 0);
    CHECK_FALSE(families.contains("sonde_targets"));
    CHECK_FALSE(families.contains("sonde_scrape_duration_seconds"));
    CHECK_FALSE(families.contains("sonde_config_last_reload_successful"));
    CHECK_FALSE(families.contains("sonde_config_last_reload_success_timestamp_seconds"));
}

TEST_CASE("self_metrics: each method moves its metric") {
    SelfMetrics metrics("1.2.3", 2);
    metrics.check_started();
    metrics.check_started();
    metrics.check_ended();
    metrics.observe_start_lag(std::chrono::microseconds{100});
    metrics.observe_start_lag(std::chrono::seconds{20});
    metrics.observe_loop_lag(std::chrono::milliseconds{3});
    metrics.set_worker_busy(1, 0.75);
    metrics.scrape_finished(std::chrono::milliseconds{250});
    metrics.add_resolver_resends(3);
    metrics.count_receive_timestamp(TimestampSource::kernel);
    metrics.count_receive_timestamp(TimestampSource::kernel);
    metrics.count_receive_timestamp(TimestampSource::user);
    const Families families = collect(*metrics.collectable());
    CHECK(value(families, "sonde_checks_in_flight") == 1);
    CHECK(value(families, "sonde_worker_busy_ratio", "1") == 0.75);
    CHECK(value(families, "sonde_scrape_duration_seconds") == 0.25);
    CHECK(value(families, "sonde_resolver_resends_total") == 3);
    CHECK(value(families, "sonde_receive_timestamps_total", "kernel") == 2);
    CHECK(value(families, "sonde_receive_timestamps_total", "user") == 1);
    const auto& lag = families.at("sonde_start_lag_seconds").metric.front().histogram;
    CHECK(lag.sample_count == 2);
    CHECK(lag.sample_sum == doctest::Approx(20.0001));
    CHECK(lag.bucket.front().upper_bound == 0.0001);
    CHECK(lag.bucket.front().cumulative_count == 1);
    CHECK(lag.bucket[lag.bucket.size() - 2].upper_bound == 10);
    CHECK(lag.bucket[lag.bucket.size() - 2].cumulative_count == 1);
    CHECK(families.at("sonde_loop_lag_seconds").metric.front().histogram.sample_count == 1);
    CHECK_THROWS_AS(metrics.set_worker_busy(2, 0.5), std::out_of_range);
}

TEST_CASE("self_metrics: a reload that fails keeps the time of the last that succeeded") {
    SelfMetrics metrics("1.2.3", 1);
    metrics.config_loaded(
        sonde::probes::net::UnixTime{std::chrono::milliseconds{1'700'000'000'500}});
    metrics.config_rejected();
    metrics.config_rejected();
    const Families families = collect(*metrics.collectable());
    CHECK(value(families, "sonde_config_last_reload_successful") == 0);
    CHECK(value(families, "sonde_config_last_reload_success_timestamp_seconds") == 1'700'000'000.5);
    CHECK(value(families, "sonde_config_reloads_total", "success") == 1);
    CHECK(value(families, "sonde_config_reloads_total", "failure") == 2);
    metrics.config_loaded(sonde::probes::net::UnixTime{std::chrono::seconds{1'700'000'001}});
    CHECK(value(collect(*metrics.collectable()), "sonde_config_last_reload_successful") == 1);
}

TEST_CASE("self_metrics: a kind without targets is absent") {
    SelfMetrics metrics("1.2.3", 1);
    metrics.set_targets({{"http", 5}, {"tcp", 1}});
    metrics.set_targets({{"http", 6}, {"icmp", 2}});
    const Families families = collect(*metrics.collectable());
    CHECK(value(families, "sonde_targets", "http") == 6);
    CHECK(value(families, "sonde_targets", "icmp") == 2);
    CHECK_FALSE(value(families, "sonde_targets", "tcp").has_value());
}

TEST_CASE("self_metrics: workers observe at once and nothing is lost") {
    SelfMetrics metrics("1.2.3", 4);
    constexpr int each = 2000;
    {
        std::vector<std::jthread> workers;
        for (std::size_t worker = 0; worker < 4; ++worker) {
            workers.emplace_back([&, worker] {
                for (int i = 0; i < each; ++i) {
                    metrics.check_started();
                    metrics.observe_start_lag(std::chrono::microseconds{10});
                    metrics.set_worker_busy(worker, 0.5);
                    metrics.check_ended();
                }
            });
        }
        CHECK(collect(*metrics.collectable()).contains("sonde_start_lag_seconds"));
    }
    const Families families = collect(*metrics.collectable());
    CHECK(families.at("sonde_start_lag_seconds").metric.front().histogram.sample_count == 4 * each);
    CHECK(value(families, "sonde_checks_in_flight") == 0);
}

TEST_CASE("self_metrics: the documentation has exactly what is exposed") {
    SelfMetrics metrics("1.2.3", 1);
    use_everything(metrics);
    Families families = collect(*metrics.collectable());
    families.merge(collect(ProcessCollector{}));
    std::set<std::string> documented;
    for (const SelfMetricDoc& doc : self_metric_docs()) {
        CAPTURE(doc.name);
        CHECK(documented.insert(std::string{doc.name}).second);
        const auto family = families.find(std::string{doc.name});
        REQUIRE(family != families.end());
        CHECK(family->second.help == doc.help);
        CHECK(type_name(family->second.type) == doc.type);
        const auto& labels = family->second.metric.front().label;
        CHECK(labels.size() == (doc.labels.empty() ? 0 : 1));
        if (!labels.empty()) {
            CHECK(labels.front().name == doc.labels);
        }
        CHECK(doc.help.ends_with('.'));
    }
    CHECK(documented.size() == families.size());
}

TEST_CASE("self_metrics: process_* are this process") {
    const Families families = collect(ProcessCollector{});
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
    const double start = value(families, "process_start_time_seconds").value();
    CHECK(start <= now.count() + 1);
    CHECK(start > now.count() - 24 * 3600);
    CHECK(value(families, "process_resident_memory_bytes").value() > 1e6);
    CHECK(value(families, "process_virtual_memory_bytes").value() >=
          value(families, "process_resident_memory_bytes").value());
    CHECK(value(families, "process_cpu_seconds_total").value() >= 0);
    CHECK(value(families, "process_max_fds") == static_cast<double>(sysconf(_SC_OPEN_MAX)));

    const double open = value(families, "process_open_fds").value();
    CHECK(open >= 3);
    const std::ifstream one_more("/proc/self/stat");
    REQUIRE(one_more.is_open());
    CHECK(value(collect(ProcessCollector{}), "process_open_fds") == open + 1);
}

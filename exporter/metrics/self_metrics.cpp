#include "exporter/metrics/self_metrics.hpp"

#include "exporter/metrics/self_metric_table.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace sonde::exporter {

namespace {

double to_seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

const prometheus::Histogram::BucketBoundaries& lag_buckets() {
    static const prometheus::Histogram::BucketBoundaries bounds = {
        0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
    return bounds;
}

template <typename Builder>
auto& family(Builder builder, SelfMetric metric, prometheus::Registry& registry) {
    return builder.Name(std::string{doc(metric).name})
        .Help(std::string{doc(metric).help})
        .Register(registry);
}

auto& gauges(SelfMetric metric, prometheus::Registry& registry) {
    return family(prometheus::BuildGauge(), metric, registry);
}

auto& counters(SelfMetric metric, prometheus::Registry& registry) {
    return family(prometheus::BuildCounter(), metric, registry);
}

prometheus::Labels label(SelfMetric metric, std::string_view value) {
    return {{std::string{doc(metric).labels}, std::string{value}}};
}

prometheus::Counter* labelled_counter(SelfMetric metric,
                                      std::string_view value,
                                      prometheus::Registry& registry) {
    return &counters(metric, registry).Add(label(metric, value));
}

prometheus::Histogram* lag_histogram(SelfMetric metric, prometheus::Registry& registry) {
    return &family(prometheus::BuildHistogram(), metric, registry).Add({}, lag_buckets());
}

}  // namespace

SelfMetrics::SelfMetrics(std::string_view version, std::size_t workers)
    : registry_(std::make_shared<prometheus::Registry>()),
      targets_(&gauges(SelfMetric::targets, *registry_)),
      checks_in_flight_(&gauges(SelfMetric::checks_in_flight, *registry_).Add({})),
      start_lag_(lag_histogram(SelfMetric::start_lag, *registry_)),
      loop_lag_(lag_histogram(SelfMetric::loop_lag, *registry_)),
      last_reload_successful_(&gauges(SelfMetric::last_reload_successful, *registry_)),
      last_reload_success_(&gauges(SelfMetric::last_reload_success, *registry_)),
      reloads_succeeded_(labelled_counter(SelfMetric::reloads, "success", *registry_)),
      reloads_failed_(labelled_counter(SelfMetric::reloads, "failure", *registry_)),
      scrape_duration_(&gauges(SelfMetric::scrape_duration, *registry_)),
      resolver_resends_(&counters(SelfMetric::resolver_resends, *registry_).Add({})),
      kernel_timestamps_(labelled_counter(SelfMetric::receive_timestamps, "kernel", *registry_)),
      user_timestamps_(labelled_counter(SelfMetric::receive_timestamps, "user", *registry_)) {
    gauges(SelfMetric::build_info, *registry_).Add(label(SelfMetric::build_info, version)).Set(1);
    auto& busy = gauges(SelfMetric::worker_busy, *registry_);
    for (std::size_t worker = 0; worker < workers; ++worker) {
        worker_busy_.push_back(&busy.Add(label(SelfMetric::worker_busy, std::to_string(worker))));
    }
}

SelfMetrics::~SelfMetrics() = default;

void SelfMetrics::set_targets(const std::map<std::string_view, std::size_t>& by_kind) {
    const std::lock_guard lock(targets_mutex_);
    std::erase_if(targets_by_kind_, [&](const auto& entry) {
        const bool gone = !by_kind.contains(entry.first);
        if (gone) {
            targets_->Remove(entry.second);
        }
        return gone;
    });
    for (const auto& [kind, count] : by_kind) {
        prometheus::Gauge*& gauge = targets_by_kind_[kind];
        if (gauge == nullptr) {
            gauge = &targets_->Add(label(SelfMetric::targets, kind));
        }
        gauge->Set(static_cast<double>(count));
    }
}

void SelfMetrics::check_started() {
    checks_in_flight_->Increment();
}

void SelfMetrics::check_ended() {
    checks_in_flight_->Decrement();
}

void SelfMetrics::observe_start_lag(std::chrono::nanoseconds lag) {
    start_lag_->Observe(to_seconds(lag));
}

void SelfMetrics::observe_loop_lag(std::chrono::nanoseconds lag) {
    loop_lag_->Observe(to_seconds(lag));
}

void SelfMetrics::set_worker_busy(std::size_t worker, double ratio) {
    worker_busy_.at(worker)->Set(ratio);
}

void SelfMetrics::config_loaded(probes::net::UnixTime when) {
    reloads_succeeded_->Increment();
    last_reload_successful_->Add({}).Set(1);
    last_reload_success_->Add({}).Set(to_seconds(when.time_since_epoch()));
}

void SelfMetrics::config_rejected() {
    reloads_failed_->Increment();
    last_reload_successful_->Add({}).Set(0);
}

void SelfMetrics::scrape_finished(std::chrono::nanoseconds duration) {
    scrape_duration_->Add({}).Set(to_seconds(duration));
}

void SelfMetrics::add_resolver_resends(std::uint64_t count) {
    resolver_resends_->Increment(static_cast<double>(count));
}

void SelfMetrics::count_receive_timestamp(TimestampSource source) {
    (source == TimestampSource::kernel ? kernel_timestamps_ : user_timestamps_)->Increment();
}

std::vector<SelfMetricDoc> self_metric_docs() {
    return {self_metric_table.begin(), self_metric_table.end()};
}

}  // namespace sonde::exporter

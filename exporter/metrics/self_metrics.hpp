// What Sonde says about itself: sonde_* as prometheus-cpp objects and process_* read from /proc.
// Owns these names and help texts; nothing else names them.
#pragma once

#include "probes/net/clock.hpp"

#include <prometheus/collectable.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace sonde::exporter {

/// Who stamped the arrival of a response.
enum class TimestampSource : std::uint8_t { kernel, user };

/// All members may be called from any thread. Nothing here blocks for longer than a few
/// instructions.
class SelfMetrics {
public:
    SelfMetrics(std::string_view version, std::size_t workers);
    ~SelfMetrics();
    SelfMetrics(const SelfMetrics&) = delete;
    SelfMetrics& operator=(const SelfMetrics&) = delete;

    /// How many targets the running plan has of each kind; a kind that is not named has none. The
    /// names are kept as they are: static ones, as of probes::Kind.
    void set_targets(const std::map<std::string_view, std::size_t>& by_kind);

    void check_started();
    void check_ended();
    /// How late a check started: from the moment it was due.
    void observe_start_lag(std::chrono::nanoseconds lag);
    /// How long a ready event waited for its handler.
    void observe_loop_lag(std::chrono::nanoseconds lag);
    /// The share of time, 0 to 1, that a worker's thread was busy of late. `worker` is below the
    /// number given at construction.
    void set_worker_busy(std::size_t worker, double ratio);

    /// The first load of the config counts as a reload too.
    void config_loaded(probes::net::UnixTime when);
    void config_rejected();

    /// An answer to a scrape has been sent whole.
    void scrape_finished(std::chrono::nanoseconds duration);

    void add_resolver_resends(std::uint64_t count);
    void count_receive_timestamp(TimestampSource source);

    /// For an exposition.
    [[nodiscard]] std::shared_ptr<prometheus::Collectable> collectable() const { return registry_; }

private:
    std::shared_ptr<prometheus::Registry> registry_;
    prometheus::Family<prometheus::Gauge>* targets_;
    std::mutex targets_mutex_;
    std::map<std::string_view, prometheus::Gauge*> targets_by_kind_;
    prometheus::Gauge* checks_in_flight_;
    prometheus::Histogram* start_lag_;
    prometheus::Histogram* loop_lag_;
    std::vector<prometheus::Gauge*> worker_busy_;
    prometheus::Family<prometheus::Gauge>* last_reload_successful_;  // empty before the first
    prometheus::Family<prometheus::Gauge>* last_reload_success_;     // empty before the first
    prometheus::Counter* reloads_succeeded_;
    prometheus::Counter* reloads_failed_;
    prometheus::Family<prometheus::Gauge>* scrape_duration_;  // empty before the first
    prometheus::Counter* resolver_resends_;
    prometheus::Counter* kernel_timestamps_;
    prometheus::Counter* user_timestamps_;
};

/// process_* of this process, read anew from /proc each time. What cannot be read is absent.
class ProcessCollector final : public prometheus::Collectable {
public:
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
};

/// For the reference documentation.
struct SelfMetricDoc {
    std::string_view name;
    std::string_view type;    // "gauge", "counter" or "histogram"
    std::string_view labels;  // names, separated by spaces
    std::string_view help;
};

/// Every metric of SelfMetrics and ProcessCollector, in the order of the documentation.
[[nodiscard]] std::vector<SelfMetricDoc> self_metric_docs();

}  // namespace sonde::exporter

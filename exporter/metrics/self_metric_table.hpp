// The names and help texts of Sonde's own metrics, shared by those that fill them and by the
// documentation. Private to self_metrics.
#pragma once

#include "exporter/metrics/self_metrics.hpp"

#include <array>
#include <cstdint>

namespace sonde::exporter {

enum class SelfMetric : std::uint8_t {
    build_info,
    targets,
    checks_in_flight,
    start_lag,
    loop_lag,
    worker_busy,
    last_reload_successful,
    last_reload_success,
    reloads,
    scrape_duration,
    resolver_resends,
    receive_timestamps,
    process_cpu,
    process_resident_memory,
    process_virtual_memory,
    process_open_fds,
    process_max_fds,
    process_start_time,
    count
};

// In the order of SelfMetric, one argument a line would hide it.
// clang-format off
inline constexpr std::array<SelfMetricDoc, static_cast<std::size_t>(SelfMetric::count)> self_metric_table = {{
    {"sonde_build_info", "gauge", "version",
     "1, with the version of the running program."},
    {"sonde_targets", "gauge", "kind",
     "Targets of the running plan by kind of probe. A kind without targets is absent."},
    {"sonde_checks_in_flight", "gauge", "",
     "Checks that are under way now."},
    {"sonde_start_lag_seconds", "histogram", "",
     "How late checks started, in seconds from the moment they were due. High values mean that the "
     "machine or a limit on checks in flight holds checks up."},
    {"sonde_loop_lag_seconds", "histogram", "",
     "How long ready events waited for their handler, in seconds. High values mean that a worker's "
     "thread has too much to do, or too little of a CPU."},
    {"sonde_worker_busy_ratio", "gauge", "worker",
     "Share of recent time that a worker's thread was busy, from 0 to 1."},
    {"sonde_config_last_reload_successful", "gauge", "",
     "1 if the last load or reload of the config succeeded, 0 if it was refused and the plan before "
     "it still runs."},
    {"sonde_config_last_reload_success_timestamp_seconds", "gauge", "",
     "Time of the last successful load or reload of the config in seconds since the Unix epoch. Absent "
     "before the first."},
    {"sonde_config_reloads_total", "counter", "result",
     "Loads and reloads of the config by result, success or failure."},
    {"sonde_scrape_duration_seconds", "gauge", "",
     "Time in seconds that the last finished scrape took, from the request to the last byte of its "
     "answer. Absent before the first."},
    {"sonde_resolver_resends_total", "counter", "",
     "DNS queries that were sent again because no answer came in time."},
    {"sonde_receive_timestamps_total", "counter", "source",
     "Arrivals of responses by the source of their time: kernel, stamped when the packet came in; user, "
     "read by the program later because the kernel gave no stamp."},
    {"process_cpu_seconds_total", "counter", "",
     "Total user and system CPU time spent in seconds."},
    {"process_resident_memory_bytes", "gauge", "",
     "Resident memory size in bytes."},
    {"process_virtual_memory_bytes", "gauge", "",
     "Virtual memory size in bytes."},
    {"process_open_fds", "gauge", "",
     "Number of open file descriptors."},
    {"process_max_fds", "gauge", "",
     "Maximum number of open file descriptors."},
    {"process_start_time_seconds", "gauge", "",
     "Start time of the process in seconds since the Unix epoch."},
}};
// clang-format on

static_assert(!self_metric_table.back().name.empty(), "a row is missing");

[[nodiscard]] constexpr const SelfMetricDoc& doc(SelfMetric metric) {
    return self_metric_table[static_cast<std::size_t>(metric)];
}

}  // namespace sonde::exporter

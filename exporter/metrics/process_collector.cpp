// process_* as every Prometheus client library has them, from /proc (proc(5)).
#include "exporter/metrics/self_metric_table.hpp"
#include "exporter/metrics/self_metrics.hpp"

#include <prometheus/metric_family.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>

namespace sonde::exporter {

namespace {

std::string read_file(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What /proc/self/stat says, in its own units.
struct Stat {
    double user_ticks = 0;
    double system_ticks = 0;
    double start_ticks = 0;  // since boot
    double virtual_bytes = 0;
    double resident_pages = 0;
};

std::optional<Stat> read_stat() {
    const std::string text = read_file("/proc/self/stat");
    // Field 2, the program's name, may hold spaces and parentheses; the last `)` ends it.
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) {
        return std::nullopt;
    }
    std::istringstream stream(text.substr(name_end + 1));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(stream), {}};
    constexpr std::size_t first = 3;  // the number of fields.front() in proc(5)
    constexpr std::size_t last_used = 24;
    if (fields.size() <= last_used - first) {
        return std::nullopt;
    }
    const auto number = [&](std::size_t field) {
        const std::string& digits = fields[field - first];
        double value = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return value;
    };
    return Stat{number(14), number(15), number(22), number(23), number(24)};
}

// The Unix time of the boot, in seconds.
std::optional<double> read_boot_time() {
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);) {
        constexpr std::string_view key = "btime ";
        if (line.starts_with(key)) {
            return std::stod(line.substr(key.size()));
        }
    }
    return std::nullopt;
}

std::optional<double> count_open_fds() {
    std::error_code error;
    std::filesystem::directory_iterator fds("/proc/self/fd", error);
    double open = 0;
    while (!error && fds != std::filesystem::directory_iterator{}) {
        ++open;
        fds.increment(error);
    }
    if (error) {
        return std::nullopt;
    }
    return open - 1;  // without the one that reads the directory
}

prometheus::MetricFamily make_family(SelfMetric metric, double value) {
    prometheus::MetricFamily family;
    family.name = doc(metric).name;
    family.help = doc(metric).help;
    prometheus::ClientMetric& sample = family.metric.emplace_back();
    if (doc(metric).type == "counter") {
        family.type = prometheus::MetricType::Counter;
        sample.counter.value = value;
    } else {
        family.type = prometheus::MetricType::Gauge;
        sample.gauge.value = value;
    }
    return family;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessCollector::Collect() const {
    std::vector<prometheus::MetricFamily> families;
    const auto add = [&](SelfMetric metric, double value) {
        families.push_back(make_family(metric, value));
    };
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    if (const auto stat = read_stat()) {
        add(SelfMetric::process_cpu, (stat->user_ticks + stat->system_ticks) / ticks);
        add(SelfMetric::process_resident_memory,
            stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
        add(SelfMetric::process_virtual_memory, stat->virtual_bytes);
        if (const auto boot = read_boot_time()) {
            add(SelfMetric::process_start_time, *boot + stat->start_ticks / ticks);
        }
    }
    if (const auto open = count_open_fds()) {
        add(SelfMetric::process_open_fds, *open);
    }
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        add(SelfMetric::process_max_fds, static_cast<double>(limit.rlim_cur));
    }
    return families;
}

}  // namespace sonde::exporter

// Writes metric families in text format 0.0.4 and OpenMetrics 1.0.0. Owns both grammars;
// prometheus-cpp's TextSerializer is not used because 1.0.1 writes `Nan` and does not escape HELP.
#pragma once

#include "exporter/metrics/cursor.hpp"
#include "exporter/metrics/exposition.hpp"

#include <prometheus/metric_family.h>

#include <span>
#include <string>
#include <string_view>

namespace sonde::exporter {

/// What stands before a family's samples. `name` has the _total of counters.
struct FamilyHeader {
    std::string_view name;
    prometheus::MetricType type;
    std::string_view help;
};

void write_header(std::string& out, ExpositionFormat format, const FamilyHeader& header);

/// Lines of samples; both formats write them alike.
void write_samples(std::string& out, std::span<const MetricStore::Cursor::Sample> samples);

/// A whole family of prometheus-cpp, with its header; nothing when it has no metrics.
void write_family(std::string& out,
                  ExpositionFormat format,
                  const prometheus::MetricFamily& family);

}  // namespace sonde::exporter

// The reference documentation, made from the same calls that read the configuration and from the
// catalogue of metrics. Owns the prose around them.
#pragma once

#include "exporter/metrics/self_metrics.hpp"
#include "probes/kinds/kinds.hpp"
#include "probes/measurement.hpp"

#include <span>
#include <string>

namespace sonde::exporter {

/// docs/config.md: every table and key.
[[nodiscard]] std::string config_reference(std::span<const probes::Kind> kinds);

/// docs/metrics.md: every family of a target, then the program's own.
[[nodiscard]] std::string metrics_reference(std::span<const probes::FamilyInfo> families,
                                            std::span<const SelfMetricDoc> own);

}  // namespace sonde::exporter

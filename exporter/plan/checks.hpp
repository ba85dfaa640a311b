// Checks of a plan as a whole: what may stand at the top of a file, metric names, names used twice;
// and which jobs are the same as before. Used by the loader only.
#pragma once

#include "exporter/plan/plan.hpp"

#include <memory>
#include <span>
#include <vector>

namespace sonde::exporter {

/// Reports what must not stand at the top of the config file (after read_service has read `root`)
/// or of a file of targets_dir.
void check_config_file(config::Table& root);
void check_targets_file(config::Table& root);

/// [metrics] extra names families of the catalogue.
void check_metrics(config::Table& root, const config::Metrics& metrics);

/// Reports every target whose name an earlier one has, with both places.
void report_duplicates(std::span<const std::shared_ptr<const PlanFile>> files,
                       config::Diagnostics& diagnostics);

/// Replaces each job of `fresh` that is equal to one of `old` by that object.
void keep_old_jobs(std::span<const std::shared_ptr<const PlanFile>> old,
                   std::span<const std::shared_ptr<PlanFile>> fresh);

}  // namespace sonde::exporter

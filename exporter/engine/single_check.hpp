// One check of one job with nothing scheduled and nothing recorded: for `sonde probe` and the debug
// page. Owns an event loop for as long as the check takes.
#pragma once

#include "config/service.hpp"
#include "exporter/engine/runner.hpp"
#include "exporter/plan/job.hpp"
#include "probes/trace.hpp"

#include <stop_token>

namespace sonde::exporter {

struct SingleCheck {
    Runner::Outcome outcome;
    probes::Trace trace;
};

/// Blocks until the check has its verdict, at the job's timeout at the latest; any thread that
/// serves nothing else. `stop` ends it early, as cancelled.
[[nodiscard]] SingleCheck run_single_check(const Job& job,
                                           const config::Engine& settings,
                                           const std::stop_token& stop = {});

}  // namespace sonde::exporter

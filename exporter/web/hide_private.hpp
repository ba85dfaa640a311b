// What of a check may be shown to anybody who can reach Sonde's port.
#pragma once

#include "exporter/plan/job.hpp"
#include "probes/trace.hpp"

#include <string>

namespace sonde::exporter {

/// The job's url as it may be shown.
[[nodiscard]] std::string shown_url(const Job& job);

/// Takes out what a server gave this check alone: values of cookies, of fields that are named for
/// tokens, and the queries of what it redirects to. Of a target whose url is a secret only origins
/// stay, as a redirect repeats paths.
void hide_private(probes::Trace& trace, const Job& job);

}  // namespace sonde::exporter

// One check as a person reads it (`sonde probe`): a waterfall of its phases, the certificate, the
// verdict; and the same as JSON for machines. Owns layout only.
#pragma once

#include "exporter/engine/runner.hpp"
#include "probes/trace.hpp"

#include <string>

namespace sonde::exporter {

struct ProbeReport {
    std::string url;  // as it may be shown
    std::string kind;
    const Runner::Outcome& outcome;
    const probes::Trace& trace;
};

/// `colours`: with ANSI escapes. Control characters of the server's text are spelled out.
[[nodiscard]] std::string report_text(const ProbeReport& report, bool colours);

/// One JSON object and a line end, valid UTF-8 whatever the server sent.
[[nodiscard]] std::string report_json(const ProbeReport& report);

}  // namespace sonde::exporter

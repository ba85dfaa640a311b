// One check as a person reads it (`sonde probe`): a waterfall of its phases, the certificates, the
// verdict; and the same as JSON for machines. Owns layout only.
#pragma once

#include "exporter/engine/runner.hpp"
#include "probes/trace.hpp"

#include <cstdint>
#include <string>
#include <vector>

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

/// The time of a hop that is in its phases: what did not end is not in it.
[[nodiscard]] probes::Duration phases_total(const probes::TraceHop& hop);

/// Where a failed check came to an end: "in hop 2, after resolve, connect". Empty for a success and
/// for a check without hops.
[[nodiscard]] std::string failed_where(const ProbeReport& report);

/// "EC 256 bits"; "unreadable".
[[nodiscard]] std::string key_text(const probes::TraceCertificate& certificate);

/// "CERT_HAS_EXPIRED (10): certificate has expired, certificate 0".
[[nodiscard]] std::string error_text(const probes::TraceVerifyError& error);

/// "good", "revoked (keyCompromise)", "good, but not to be believed: it is out of date".
[[nodiscard]] std::string ocsp_text(const probes::TraceOcsp& ocsp);

/// "2026-01-31 12:00:00 UTC".
[[nodiscard]] std::string time_text(std::int64_t unix_seconds);

[[nodiscard]] std::string joined(const std::vector<std::string>& words);

}  // namespace sonde::exporter

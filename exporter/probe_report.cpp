// What text, JSON and the debug page say in the same words.
#include "exporter/probe_report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace sonde::exporter {

probes::Duration phases_total(const probes::TraceHop& hop) {
    probes::Duration total{};
    for (const probes::TraceSpan& span : hop.spans) {
        total += span.length;
    }
    return total;
}

std::string failed_where(const ProbeReport& report) {
    const auto& hops = report.trace.hops;
    if (report.outcome.result.success() || hops.empty()) {
        return {};
    }
    // An expectation that is not met is of the last.
    const std::size_t failed = report.trace.failed_hop.value_or(hops.size() - 1);
    std::vector<std::string> phases;
    for (const probes::TraceSpan& span : hops[failed].spans) {
        phases.emplace_back(probes::name(span.phase));
    }
    return fmt::format("in hop {}, {}",
                       failed + 1,
                       phases.empty() ? "before any phase ended" : "after " + joined(phases));
}

std::string key_text(const probes::TraceCertificate& certificate) {
    return certificate.key_type.empty()
               ? "unreadable"
               : fmt::format("{} {} bits", certificate.key_type, certificate.key_bits);
}

std::string error_text(const probes::TraceVerifyError& error) {
    return fmt::format(
        "{} ({}): {}, certificate {}", error.name, error.code, error.text, error.position);
}

std::string ocsp_text(const probes::TraceOcsp& ocsp) {
    std::string text = ocsp.status;
    if (!ocsp.revocation_reason.empty()) {
        text += " (" + ocsp.revocation_reason + ")";
    }
    if (!ocsp.problem.empty()) {
        text += text.empty() ? "invalid: " : ", but not to be believed: ";
        text += ocsp.problem;
    }
    return text;
}

std::string time_text(std::int64_t unix_seconds) {
    std::tm fields{};
    const auto seconds = static_cast<std::time_t>(unix_seconds);
    // A certificate may hold years that fit no calendar of the C library.
    if (gmtime_r(&seconds, &fields) == nullptr) {
        return fmt::format("{} s", unix_seconds);
    }
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fields);
}

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace sonde::exporter

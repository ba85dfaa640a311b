// `sonde probe --json`, and the debug page's JSON.
#include "exporter/probe_report.hpp"
#include "exporter/utf8.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace sonde::exporter {

namespace json = boost::json;

namespace {

using probes::Duration;
using probes::TraceCertificate;
using probes::TraceHop;

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

json::array to_json(const std::vector<TraceCertificate>& chain) {
    json::array out;
    for (const TraceCertificate& certificate : chain) {
        out.push_back(json::object{{"position", certificate.position},
                                   {"subject", certificate.subject},
                                   {"issuer", certificate.issuer},
                                   {"serial", certificate.serial},
                                   {"names", json::value_from(certificate.names)},
                                   {"not_before", certificate.not_before},
                                   {"not_after", certificate.not_after},
                                   {"key_type", certificate.key_type},
                                   {"key_bits", certificate.key_bits},
                                   {"signature_algorithm", certificate.signature_algorithm},
                                   {"fingerprint_sha256", certificate.fingerprint}});
    }
    return out;
}

json::object to_json(const std::optional<probes::TraceOcsp>& ocsp) {
    json::object out{{"stapled", ocsp.has_value()}};
    if (!ocsp) {
        return out;
    }
    const auto add_text = [&out](std::string_view name, const std::string& text) {
        if (!text.empty()) {
            out[name] = text;
        }
    };
    const auto add_time = [&out](std::string_view name, std::optional<std::int64_t> time) {
        if (time) {
            out[name] = *time;
        }
    };
    add_text("status", ocsp->status);
    add_text("problem", ocsp->problem);
    out["signature_verified"] = ocsp->signature_verified;
    add_time("this_update", ocsp->this_update);
    add_time("next_update", ocsp->next_update);
    add_time("revoked_at", ocsp->revoked_at);
    add_text("revocation_reason", ocsp->revocation_reason);
    return out;
}

json::object to_json(const probes::TraceTls& tls) {
    json::object out{
        {"version", tls.version}, {"cipher", tls.cipher}, {"verified", tls.errors.empty()}};
    json::array& errors = out["verification_errors"].emplace_array();
    for (const probes::TraceVerifyError& error : tls.errors) {
        errors.push_back(json::object{{"name", error.name},
                                      {"code", error.code},
                                      {"text", error.text},
                                      {"position", error.position}});
    }
    out["ocsp"] = to_json(tls.ocsp);
    out["sent_chain"] = to_json(tls.sent);
    out["verified_chain"] = to_json(tls.verified);
    if (!tls.trust_anchor.empty()) {
        out["trust_anchor"] = tls.trust_anchor;
    }
    return out;
}

json::object to_json(const TraceHop& hop) {
    json::object out{{"url", hop.url}, {"address", hop.address}};
    if (hop.status) {
        out["status"] = *hop.status;
        out["protocol"] = hop.protocol;
    }
    json::array& phases = out["phases"].emplace_array();
    for (const probes::TraceSpan& span : hop.spans) {
        phases.push_back(json::object{{"phase", probes::name(span.phase)},
                                      {"begin_seconds", seconds(span.begin)},
                                      {"seconds", seconds(span.length)}});
    }
    out["phases_seconds"] = seconds(phases_total(hop));
    json::array& headers = out["headers"].emplace_array();
    for (const auto& [name, value] : hop.headers) {
        headers.push_back(json::object{{"name", name}, {"value", value}});
    }
    if (hop.tls) {
        out["tls"] = to_json(*hop.tls);
    }
    return out;
}

}  // namespace

std::string report_json(const ProbeReport& report) {
    const probes::ProbeResult& result = report.outcome.result;
    json::object out{{"url", report.url}, {"kind", report.kind}, {"success", result.success()}};
    if (!result.success()) {
        out["reason"] = probes::name(result.failure);
        out["detail"] = result.detail;
        if (!report.trace.hops.empty()) {
            out["failed_in_hop"] = report.trace.hops.size();  // the first is 1
        }
    }
    out["started"] = seconds(report.outcome.started_unix.time_since_epoch());
    out["duration_seconds"] = seconds(result.duration);
    if (result.rtt) {
        out["rtt_seconds"] = seconds(*result.rtt);
    }
    json::array& hops = out["hops"].emplace_array();
    for (const TraceHop& hop : report.trace.hops) {
        hops.push_back(to_json(hop));
    }
    json::object& extracted = out["extracted"].emplace_object();
    for (const auto& [name, value] : report.trace.extracted) {
        extracted[name] = value;
    }
    json::array& expectations = out["expectations"].emplace_array();
    for (const probes::TraceVerdict& verdict : report.trace.expectations) {
        expectations.push_back(
            json::object{{"name", verdict.name}, {"met", verdict.met}, {"detail", verdict.detail}});
    }
    // Boost.JSON copies bytes as they are; outside of strings there is ASCII only.
    return repaired_utf8(json::serialize(out)) + '\n';
}

}  // namespace sonde::exporter

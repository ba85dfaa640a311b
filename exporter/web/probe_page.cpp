#include "exporter/web/probe_page.hpp"

#include "exporter/web/html.hpp"
#include "exporter/web/policy.hpp"
#include "exporter/web/ui/assets.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace sonde::exporter {

namespace {

using probes::Duration;
using probes::TraceCertificate;
using probes::TraceHop;
using probes::TraceSpan;
using probes::TraceTls;

std::string milliseconds(Duration duration) {
    return fmt::format("{:.2f} ms", std::chrono::duration<double, std::milli>(duration).count());
}

/// Where the bar of a span is in a check of `whole`, in thousandths; it is never too small to see.
void add_bar(Html& page, const TraceSpan& span, Duration whole) {
    constexpr double width = 1000;
    constexpr double least = 4;
    const double scale = width / std::max(1.0, static_cast<double>(whole.count()));
    const double begin =
        std::clamp(static_cast<double>(span.begin.count()) * scale, 0.0, width - least);
    const double length =
        std::clamp(static_cast<double>(span.length.count()) * scale, least, width - begin);
    page.markup(
            "<td class=\"bar\"><svg viewBox=\"0 0 1000 14\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\"><rect class=\"")
        .markup(probes::name(span.phase))
        .markup(fmt::format(
            "\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"14\"/></svg></td>", begin, length));
}

void add_waterfall(Html& page, const ProbeReport& report) {
    const Duration whole = report.outcome.result.duration;
    Duration in_phases{};
    page.markup(
        "<section><h2>Where the time went</h2>\n<table><tr><th>Hop</th><th>Phase</th>"
        "<th class=\"num\">Begins after</th><th class=\"num\">Takes</th><th></th></tr>\n");
    std::size_t number = 0;
    for (const TraceHop& hop : report.trace.hops) {
        ++number;
        for (const TraceSpan& span : hop.spans) {
            page.markup("<tr>")
                .cell(std::to_string(number))
                .cell(probes::name(span.phase))
                .cell(milliseconds(span.begin), "num")
                .cell(milliseconds(span.length), "num");
            add_bar(page, span, whole);
            page.markup("</tr>\n");
        }
        page.markup("<tr class=\"sum\">")
            .cell(std::to_string(number))
            .cell("sum")
            .cell("")
            .cell(milliseconds(phases_total(hop)), "num")
            .markup("<td></td></tr>\n");
        in_phases += phases_total(hop);
    }
    page.markup("</table>\n<p class=\"muted\">")
        .text(milliseconds(in_phases) + " in phases, " +
              milliseconds(std::max(Duration{}, whole - in_phases)) +
              " beside them, in a phase that did not end or in Sonde itself.")
        .markup("</p></section>\n");
}

void add_chain(Html& page, const std::vector<TraceCertificate>& chain) {
    for (const TraceCertificate& certificate : chain) {
        page.markup("<details open><summary>")
            .text(fmt::format("{}  {}", certificate.position, certificate.subject))
            .markup("</summary><dl>\n")
            .fact("Issuer", certificate.issuer)
            .fact("Serial", certificate.serial)
            .fact("Names", certificate.names.empty() ? "none" : joined(certificate.names))
            .fact("Not before", time_text(certificate.not_before))
            .fact("Not after", time_text(certificate.not_after))
            .fact("Key", key_text(certificate))
            .fact("Signed with", certificate.signature_algorithm)
            .fact("SHA-256", certificate.fingerprint)
            .markup("</dl></details>\n");
    }
}

void add_ocsp(Html& page, const std::optional<probes::TraceOcsp>& ocsp) {
    if (!ocsp) {
        page.fact("OCSP staple", "none");
        return;
    }
    const bool good = ocsp->problem.empty() && ocsp->status == "good";
    page.fact("OCSP staple", ocsp_text(*ocsp), good ? "good" : "bad");
    if (ocsp->revoked_at) {
        page.fact("Revoked", time_text(*ocsp->revoked_at));
    }
    if (ocsp->this_update) {
        page.fact("OCSP made", time_text(*ocsp->this_update));
    }
    if (ocsp->next_update) {
        page.fact("OCSP good until", time_text(*ocsp->next_update));
    }
}

void add_tls(Html& page, const TraceTls& tls) {
    const bool verified = tls.errors.empty();
    page.markup("<h3>TLS</h3>\n<dl>\n")
        .fact("Version", tls.version)
        .fact("Cipher", tls.cipher)
        .fact("Verification", verified ? "verified" : "failed", verified ? "good" : "bad");
    for (const probes::TraceVerifyError& error : tls.errors) {
        page.fact("Error", error_text(error), "bad");
    }
    add_ocsp(page, tls.ocsp);
    page.fact("Trust anchor",
              tls.trust_anchor.empty() ? "none was found" : tls.trust_anchor,
              tls.trust_anchor.empty() ? "bad" : "");
    page.markup("</dl>\n<h3>Certificates as they were sent</h3>\n");
    add_chain(page, tls.sent);
    page.markup(verified ? "<h3>Verified chain</h3>\n"
                         : "<h3>Chain that verification built, without approving it</h3>\n");
    add_chain(page, tls.verified);
}

void add_hop(Html& page, const TraceHop& hop, std::size_t number) {
    page.markup("<section><h2>")
        .text(fmt::format("Hop {}: {}", number, hop.url))
        .markup("</h2>\n<dl>\n")
        .fact("Address", hop.address.empty() ? "none" : hop.address)
        .fact("Answer",
              hop.status ? fmt::format("{} {}", hop.protocol, *hop.status) : "none",
              hop.status ? "" : "bad")
        .markup("</dl>\n");
    if (!hop.headers.empty()) {
        page.markup("<h3>Header fields of the answer</h3>\n<table>\n");
        for (const auto& [name, value] : hop.headers) {
            page.markup("<tr>").cell(name).cell(value).markup("</tr>\n");
        }
        page.markup("</table>\n");
    }
    if (hop.tls) {
        add_tls(page, *hop.tls);
    }
    page.markup("</section>\n");
}

void add_expectations(Html& page, const std::vector<probes::TraceVerdict>& verdicts) {
    page.markup(
        "<section><h2>Expectations</h2>\n<table><tr><th>Expected</th><th>Verdict</th>"
        "<th>Found</th></tr>\n");
    for (const probes::TraceVerdict& verdict : verdicts) {
        page.markup("<tr>")
            .cell(verdict.name)
            .cell(verdict.met ? "met" : "not met", verdict.met ? "good" : "bad")
            .cell(verdict.detail)
            .markup("</tr>\n");
    }
    page.markup("</table></section>\n");
}

void add_extracted(Html& page, const std::vector<std::pair<std::string, std::string>>& values) {
    page.markup("<section><h2>Taken from the answer</h2>\n<table>");
    for (const auto& [name, value] : values) {
        page.markup("<tr>").cell(name).cell(value).markup("</tr>\n");
    }
    page.markup("</table></section>\n");
}

void add_summary(Html& page, const ProbeReport& report) {
    const probes::ProbeResult& result = report.outcome.result;
    page.markup("<section>\n<p><span class=\"verdict ")
        .markup(result.success() ? "good\">success" : "bad\">failed: ")
        .text(result.success() ? std::string_view{} : probes::name(result.failure))
        .markup("</span></p>\n");
    if (!result.success()) {
        page.markup("<p>").text(result.detail).markup("</p>\n");
    }
    page.markup("<dl>\n").fact("URL", report.url).fact("Kind", report.kind);
    if (const std::string where = failed_where(report); !where.empty()) {
        page.fact("Failed", where);
    }
    page.fact("Took", milliseconds(result.duration));
    if (result.rtt) {
        page.fact("Round-trip time", milliseconds(*result.rtt));
    }
    page.fact("Started",
              time_text(std::chrono::floor<std::chrono::seconds>(report.outcome.started_unix)
                            .time_since_epoch()
                            .count()))
        .markup("</dl>\n</section>\n");
}

}  // namespace

std::string probe_page(const ProbeReport& report, std::string_view target) {
    const std::string query =
        "?target=" + boost::urls::encode(target, boost::urls::unreserved_chars);
    Html page;
    page.markup(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<meta name=\"color-scheme\" content=\"light dark\"><title>")
        .text(target)
        .markup(
            " - Sonde</title><link rel=\"icon\" type=\"image/svg+xml\" href=\"../favicon.ico\">"
            "<style>")
        .markup(ui::probe_style)
        .markup(
            "</style></head>\n<body>\n<nav><a href=\"../\">All targets</a><a rel=\"nofollow\" "
            "href=\"")
        .text(query)
        .markup("\">Check again</a><a rel=\"nofollow\" href=\"")
        .text(query + "&format=json")
        .markup("\">Check again, as JSON</a></nav>\n<h1>")
        .text(target)
        .markup(
            "</h1>\n<p class=\"muted\">One check that was made for this page; no metric holds "
            "it. Values that a server meant for Sonde alone are hidden.</p>\n");
    add_summary(page, report);
    if (!report.trace.hops.empty()) {
        add_waterfall(page, report);
    }
    if (!report.trace.expectations.empty()) {
        add_expectations(page, report.trace.expectations);
    }
    if (!report.trace.extracted.empty()) {
        add_extracted(page, report.trace.extracted);
    }
    std::size_t number = 0;
    for (const TraceHop& hop : report.trace.hops) {
        add_hop(page, hop, ++number);
    }
    return std::move(page.markup("</body></html>\n")).take();
}

const std::string& probe_page_policy() {
    static const std::string policy =
        "default-src 'none'; img-src 'self'; style-src " + inline_source(ui::probe_style) +
        "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    return policy;
}

}  // namespace sonde::exporter

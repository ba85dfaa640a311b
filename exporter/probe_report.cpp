#include "exporter/probe_report.hpp"

#include "exporter/utf8.hpp"

#include <boost/json.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <string_view>

namespace sonde::exporter {

namespace json = boost::json;

namespace {

using probes::Duration;
using probes::Trace;
using probes::TraceHop;
using probes::TraceSpan;

constexpr std::size_t bar_columns = 40;

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

class Colours {
public:
    explicit Colours(bool on) : on_(on) {}

    [[nodiscard]] std::string good(std::string_view text) const { return wrap("32", text); }

    [[nodiscard]] std::string bad(std::string_view text) const { return wrap("31", text); }

    [[nodiscard]] std::string bold(std::string_view text) const { return wrap("1", text); }

    [[nodiscard]] std::string dim(std::string_view text) const { return wrap("2", text); }

private:
    [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const {
        return on_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string{text};
    }

    bool on_;
};

/// Whether a terminal may obey `character`, a sequence of UTF-8: C0, DEL, or C1 (U+0080 to U+009F).
bool is_control(std::string_view character) {
    const char last = character.back();
    return character.size() == 1 ? last < 0x20 || last == 0x7f
                                 : character.front() == '\xC2' && last < '\xA0';
}

/// What came from a server must not move the cursor or change colours: control characters, and
/// bytes that are no UTF-8, are spelled out.
std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        if (length == 0 || is_control(character)) {
            for (const char byte : character) {
                out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
            }
        } else {
            out += character;
        }
        text.remove_prefix(character.size());
    }
    return out;
}

std::string date(std::int64_t unix_seconds) {
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

/// A span as a bar below the whole check's time line.
std::string bar(const TraceSpan& span, Duration whole) {
    const double scale = bar_columns / std::max(1.0, static_cast<double>(whole.count()));
    const auto column = [&](Duration at) {
        return std::min(bar_columns,
                        static_cast<std::size_t>(static_cast<double>(at.count()) * scale));
    };
    const std::size_t begin = std::min(column(span.begin), bar_columns - 1);
    const std::size_t end = std::max(begin + 1, column(span.begin + span.length));
    std::string out(begin, ' ');
    for (std::size_t i = begin; i < end; ++i) {
        out += "\u2588";
    }
    return out;
}

void add_hop(
    std::string& out, const TraceHop& hop, std::size_t number, Duration whole, const Colours& c) {
    out += fmt::format("\n{} {}", number, c.bold(printable(hop.url)));
    if (!hop.address.empty()) {
        out += c.dim("  " + hop.address);
    }
    if (hop.status) {
        out += fmt::format("  {} {}", hop.protocol, *hop.status);
    }
    out += '\n';
    for (const TraceSpan& span : hop.spans) {
        out += fmt::format("  {:<11}{:>10.2f} ms  {}\n",
                           probes::name(span.phase),
                           milliseconds(span.length),
                           bar(span, whole));
    }
    if (!hop.tls_version.empty()) {
        out += fmt::format(
            "  {}, {}: {}\n",
            hop.tls_version,
            hop.tls_cipher,
            hop.tls_error.empty() ? c.good("verified") : c.bad(printable(hop.tls_error)));
    }
}

void add_chain(std::string& out, const TraceHop& hop, std::int64_t now, const Colours& c) {
    for (std::size_t i = 0; i < hop.chain.size(); ++i) {
        const probes::TraceCertificate& certificate = hop.chain[i];
        const std::int64_t days = (certificate.not_after - now) / 86400;
        const std::string left = certificate.not_after < now ? c.bad("expired")
                                 : days < 21 ? c.bad(fmt::format("{} days left", days))
                                             : c.good(fmt::format("{} days left", days));
        out += fmt::format("  certificate {}  {}\n", i, printable(certificate.subject));
        out += fmt::format("    issuer       {}\n", printable(certificate.issuer));
        if (!certificate.names.empty()) {
            out += fmt::format("    names        {}\n", printable(certificate.names));
        }
        out += fmt::format("    valid        {} to {}, {}\n",
                           date(certificate.not_before),
                           date(certificate.not_after),
                           left);
        out += fmt::format("    key          {}\n", certificate.key);
    }
}

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

json::object to_json(const TraceHop& hop) {
    json::object out{{"url", hop.url}, {"address", hop.address}};
    if (hop.status) {
        out["status"] = *hop.status;
        out["protocol"] = hop.protocol;
    }
    json::array& phases = out["phases"].emplace_array();
    for (const TraceSpan& span : hop.spans) {
        phases.push_back(json::object{{"phase", probes::name(span.phase)},
                                      {"begin_seconds", seconds(span.begin)},
                                      {"seconds", seconds(span.length)}});
    }
    json::array& headers = out["headers"].emplace_array();
    for (const auto& [name, value] : hop.headers) {
        headers.push_back(json::object{{"name", name}, {"value", value}});
    }
    if (hop.tls_version.empty()) {
        return out;
    }
    json::object& tls = out["tls"].emplace_object();
    tls = {{"version", hop.tls_version},
           {"cipher", hop.tls_cipher},
           {"verified", hop.tls_error.empty()}};
    if (!hop.tls_error.empty()) {
        tls["verification_error"] = hop.tls_error;
    }
    json::array& chain = tls["chain"].emplace_array();
    for (const probes::TraceCertificate& certificate : hop.chain) {
        chain.push_back(json::object{{"subject", certificate.subject},
                                     {"issuer", certificate.issuer},
                                     {"names", certificate.names},
                                     {"not_before", certificate.not_before},
                                     {"not_after", certificate.not_after},
                                     {"key", certificate.key},
                                     {"fingerprint_sha256", certificate.fingerprint}});
    }
    return out;
}

}  // namespace

std::string report_text(const ProbeReport& report, bool colours) {
    const Colours c{colours};
    const probes::ProbeResult& result = report.outcome.result;
    const std::string verdict =
        result.success() ? c.good("success")
                         : c.bad(fmt::format("failed: {}", probes::name(result.failure)));
    std::string out = fmt::format("{}  {} in {:.2f} ms\n",
                                  c.bold(printable(report.url)),
                                  verdict,
                                  milliseconds(result.duration));
    if (!result.success()) {
        out += fmt::format("  {}\n", printable(result.detail));
    }
    const std::int64_t now = std::chrono::floor<std::chrono::seconds>(report.outcome.started_unix)
                                 .time_since_epoch()
                                 .count();
    std::size_t number = 0;
    for (const TraceHop& hop : report.trace.hops) {
        add_hop(out, hop, ++number, result.duration, c);
        add_chain(out, hop, now, c);
    }
    if (!report.trace.expectations.empty()) {
        out += '\n';
    }
    for (const probes::TraceVerdict& verdict_of : report.trace.expectations) {
        out += fmt::format("  {} {}: {}\n",
                           verdict_of.met ? c.good("met    ") : c.bad("not met"),
                           printable(verdict_of.name),
                           printable(verdict_of.detail));
    }
    return out;
}

std::string report_json(const ProbeReport& report) {
    const probes::ProbeResult& result = report.outcome.result;
    json::object out{{"url", report.url}, {"kind", report.kind}, {"success", result.success()}};
    if (!result.success()) {
        out["reason"] = probes::name(result.failure);
        out["detail"] = result.detail;
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
    json::array& expectations = out["expectations"].emplace_array();
    for (const probes::TraceVerdict& verdict : report.trace.expectations) {
        expectations.push_back(
            json::object{{"name", verdict.name}, {"met", verdict.met}, {"detail", verdict.detail}});
    }
    // Boost.JSON copies bytes as they are; outside of strings there is ASCII only.
    return repaired_utf8(json::serialize(out)) + '\n';
}

}  // namespace sonde::exporter

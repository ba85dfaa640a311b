// `sonde probe` for a terminal.
#include "exporter/probe_report.hpp"
#include "exporter/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace sonde::exporter {

namespace {

using probes::Duration;
using probes::TraceCertificate;
using probes::TraceHop;
using probes::TraceSpan;
using probes::TraceTls;

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

/// A line of what is said about TLS.
template <typename... Values>
void fact(std::string& out, std::string_view name, const Values&... values) {
    out += fmt::format("    {:<13}", name);
    (out.append(values), ...);
    out += '\n';
}

void add_certificate(std::string& out,
                     const TraceCertificate& certificate,
                     std::int64_t now,
                     const Colours& c) {
    const std::int64_t days = (certificate.not_after - now) / 86400;
    const std::string left = certificate.not_after < now    ? c.bad("expired")
                             : certificate.not_before > now ? c.bad("not yet valid")
                             : days < 21 ? c.bad(fmt::format("{} days left", days))
                                         : c.good(fmt::format("{} days left", days));
    out +=
        fmt::format("  certificate {}  {}\n", certificate.position, printable(certificate.subject));
    fact(out, "issuer", printable(certificate.issuer));
    fact(out, "serial", certificate.serial);
    if (!certificate.names.empty()) {
        fact(out, "names", printable(joined(certificate.names)));
    }
    fact(out,
         "valid",
         time_text(certificate.not_before),
         " to ",
         time_text(certificate.not_after),
         ", ",
         left);
    fact(out, "key", key_text(certificate));
    fact(out, "signed with", certificate.signature_algorithm);
    fact(out, "sha256", certificate.fingerprint);
}

/// One line each: what it is was told of the certificates as they were sent.
void add_verified_chain(std::string& out, const TraceTls& tls, const Colours& c) {
    out += tls.errors.empty()
               ? "  verified chain\n"
               : c.dim("  chain that verification built, without approving it") + "\n";
    for (const TraceCertificate& certificate : tls.verified) {
        const bool sent = std::ranges::any_of(tls.sent, [&](const TraceCertificate& other) {
            return other.fingerprint == certificate.fingerprint;
        });
        out += fmt::format("    {}  {}{}\n",
                           certificate.position,
                           printable(certificate.subject),
                           sent ? "" : c.dim("  (not sent)"));
    }
    fact(out,
         "trust anchor",
         tls.trust_anchor.empty() ? c.bad("none was found") : printable(tls.trust_anchor));
}

void add_tls(std::string& out, const TraceTls& tls, std::int64_t now, const Colours& c) {
    out += fmt::format("  {}, {}: {}\n",
                       tls.version,
                       tls.cipher,
                       tls.errors.empty() ? c.good("verified") : c.bad("not verified"));
    for (const probes::TraceVerifyError& error : tls.errors) {
        out += "    " + c.bad(printable(error_text(error))) + "\n";
    }
    out += "  OCSP staple: ";
    if (tls.ocsp) {
        const bool good = tls.ocsp->status == "good" && tls.ocsp->problem.empty();
        const std::string words = printable(ocsp_text(*tls.ocsp));
        out += good ? c.good(words) : c.bad(words);
        if (tls.ocsp->revoked_at) {
            out += ", since " + time_text(*tls.ocsp->revoked_at);
        }
        if (tls.ocsp->this_update) {
            out += ", of " + time_text(*tls.ocsp->this_update);
        }
        if (tls.ocsp->next_update) {
            out += ", good until " + time_text(*tls.ocsp->next_update);
        }
        out += '\n';
    } else {
        out += "none\n";
    }
    for (const TraceCertificate& certificate : tls.sent) {
        add_certificate(out, certificate, now, c);
    }
    add_verified_chain(out, tls, c);
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
    out += fmt::format("  {:<11}{:>10.2f} ms\n", "sum", milliseconds(phases_total(hop)));
}

/// What all hops took together, and what is in none of their phases.
void add_sum(std::string& out, const ProbeReport& report) {
    Duration phases{};
    for (const TraceHop& hop : report.trace.hops) {
        phases += phases_total(hop);
    }
    const Duration whole = report.outcome.result.duration;
    out += fmt::format("\n  {:.2f} ms in the phases of {} hop{}, {:.2f} ms beside them\n",
                       milliseconds(phases),
                       report.trace.hops.size(),
                       report.trace.hops.size() == 1 ? "" : "s",
                       milliseconds(std::max(Duration{}, whole - phases)));
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
        if (const std::string where = failed_where(report); !where.empty()) {
            out += fmt::format("  {}\n", where);
        }
    }
    const std::int64_t now = std::chrono::floor<std::chrono::seconds>(report.outcome.started_unix)
                                 .time_since_epoch()
                                 .count();
    std::size_t number = 0;
    for (const TraceHop& hop : report.trace.hops) {
        add_hop(out, hop, ++number, result.duration, c);
        if (hop.tls) {
            add_tls(out, *hop.tls, now, c);
        }
    }
    if (!report.trace.hops.empty()) {
        add_sum(out, report);
    }
    for (const auto& [name, value] : report.trace.extracted) {
        out += fmt::format("  taken   {}: {}\n", printable(name), printable(value));
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

}  // namespace sonde::exporter

#include "probes/kinds/http/expectation_verdicts.hpp"

#include "config/duration.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace sonde::probes::http {

namespace {

using M = Measurement;

struct Judgement {
    const LabelValues& label;
    bool met;
    Failure why;  // the check fails, when it is not met
};

/// `expected` and `seen` give words; they are asked only when somebody will read them.
template <typename Expected, typename Seen>
void judge(Check& check, ProbeResult& result, const Judgement& it, Expected expected, Seen seen) {
    result.labelled.push_back({Family::expectation_met, it.label, it.met ? 1.0 : 0.0});
    if (Trace* watcher = check.trace()) {
        watcher->expectations.push_back({expected(), it.met, seen()});
    }
    if (!it.met && check.failure == Failure::none) {
        check.fail(it.why, seen() + ", expected " + expected());
    }
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : " or ") + word;
    }
    return text;
}

bool has(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

std::string milliseconds(Duration time) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    const std::string fraction = std::to_string(1000 + micros % 1000).substr(1);
    return std::to_string(micros / 1000) + "." + fraction + " ms";
}

void judge_status(Check& check, unsigned status, ProbeResult& result) {
    const wire::StatusSet& expected = check.spec.expect.status;
    judge(
        check,
        result,
        {label(Expected::status), expected.contains(status), Failure::unexpected_status},
        [&] { return "status " + expected.text(); },
        [&] { return "status " + std::to_string(status); });
}

void judge_headers(Check& check, const Receiver& final, ProbeResult& result) {
    for (std::size_t i = 0; i < check.spec.expect.headers.size(); ++i) {
        const HeaderExpectation& header = check.spec.expect.headers[i];
        const bool found = final.found_field(i);
        judge(
            check,
            result,
            {header.label, found == header.present, Failure::unexpected_header},
            [&] {
                return (header.present ? "header " : "no header ") + header.field +
                       (header.pattern ? " matching \"" + header.pattern->pattern() + "\"" : "");
            },
            [&] {
                return "header " + header.field +
                       (found            ? " there"
                        : header.pattern ? " absent or without a match"
                                         : " absent");
            });
    }
}

void judge_pattern(Check& check,
                   const wire::Matcher& matcher,
                   std::size_t index,
                   ProbeResult& result) {
    const wire::PatternSet& set = *check.spec.expect.patterns;
    const wire::Verdict verdict = matcher.verdict(index);
    const std::optional<bool> met = matcher.met(index);
    if (verdict == wire::Verdict::undecided || !met) {
        return;
    }
    const bool found = verdict == wire::Verdict::found;
    const LabelValues& label = set.labels(index);
    result.labelled.push_back({Family::regex_match, label, found ? 1.0 : 0.0});
    result.labelled.push_back({Family::expectation_met, label, *met ? 1.0 : 0.0});
    if (Trace* watcher = check.trace()) {
        watcher->expectations.push_back(
            {(set.spec(index).expect_present ? "regex " : "no regex ") + label->front(),
             *met,
             found ? "found" : "not found"});
    }
    if (!*met && check.failure == Failure::none) {
        check.fail(Failure::unexpected_content,
                   "pattern \"" + label->front() + "\" was " + (found ? "found" : "not found") +
                       " in a body of " + std::to_string(check.last_hop.response->decoded_bytes) +
                       " bytes");
    }
}

void judge_patterns(Check& check, const wire::Matcher& matcher, ProbeResult& result) {
    if (!check.spec.expect.patterns) {
        return;
    }
    for (std::size_t i = 0; i < check.spec.expect.patterns->size(); ++i) {
        judge_pattern(check, matcher, i, result);
    }
    if (check.answered && matcher.body_too_large() && check.failure == Failure::none) {
        check.fail(Failure::body_too_large,
                   "a pattern needs the whole body, which is over " +
                       std::to_string(check.spec.content.max_extract_body) + " bytes");
    }
}

/// Of the header and of the body, which together are what blackbox_exporter calls regex.
void judge_content(Check& check, const Receiver& final, ProbeResult& result) {
    const Expectations& expect = check.spec.expect;
    const bool good_so_far = check.failure == Failure::none;
    judge_headers(check, final, result);
    judge_patterns(check, final.matcher(), result);
    const bool has_patterns =
        expect.patterns || std::ranges::any_of(expect.headers, [](const HeaderExpectation& header) {
            return header.pattern != nullptr;
        });
    if (has_patterns && check.answered) {
        const bool failed = good_so_far && check.failure != Failure::none;
        result.readings.set(M::failed_due_to_regex, failed ? 1 : 0);
    }
}

void judge_response(Check& check, const Url& url, ProbeResult& result) {
    const Expectations& expect = check.spec.expect;
    const ResponseFacts& response = *check.last_hop.response;
    if (!expect.http_versions.empty()) {
        const std::string_view version = version_text(response.version);
        judge(
            check,
            result,
            {label(Expected::http_version),
             has(expect.http_versions, version),
             Failure::unexpected_protocol},
            [&] { return "HTTP " + joined(expect.http_versions); },
            [&] { return "HTTP " + std::string{version}; });
    }
    if (!expect.content_encodings.empty()) {
        judge(
            check,
            result,
            {label(Expected::content_encoding),
             has(expect.content_encodings, response.content_encoding),
             Failure::unexpected_content},
            [&] { return "content coding " + joined(expect.content_encodings); },
            [&] { return "content coding " + std::string{response.content_encoding}; });
    }
    if (expect.final_url) {
        const std::string shown = url.show();
        judge(
            check,
            result,
            {label(Expected::final_url),
             RE2::PartialMatch(shown, *expect.final_url),
             Failure::unexpected_answer},
            [&] { return "final url matching \"" + expect.final_url->pattern() + "\""; },
            // Path and query may be a secret.
            [&] { return "a url of " + url.origin(); });
    }
    if (expect.min_body > 0 && check.answered) {
        judge(
            check,
            result,
            {label(Expected::min_body),
             response.decoded_bytes >= expect.min_body,
             Failure::unexpected_content},
            [&] { return "a body of at least " + config::format_bytes({expect.min_body}); },
            [&] { return "a body of " + std::to_string(response.decoded_bytes) + " bytes"; });
    }
}

void judge_validity(Check& check, std::optional<std::int64_t> expiry, ProbeResult& result) {
    const Duration least = check.spec.expect.min_cert_validity;
    const auto now =
        std::chrono::floor<std::chrono::seconds>(check.run.env.clock.unix_now().time_since_epoch());
    const std::chrono::seconds left = std::chrono::seconds{expiry.value_or(0)} - now;
    judge(
        check,
        result,
        {label(Expected::min_cert_validity),
         expiry && left >= least,
         Failure::certificate_expires_soon},
        [&] { return "one that is valid for at least " + config::format_duration(least); },
        [&] {
            return !expiry ? std::string{"no certificate"}
                   : left.count() < 0
                       ? "a certificate that has expired"
                       : "a certificate that expires in " + config::format_duration(left);
        });
}

/// `tls` is null when the final response came without it.
void judge_tls(Check& check, const TlsFacts* tls, ProbeResult& result) {
    const Expectations& expect = check.spec.expect;
    const auto shown = [tls](const LabelValues TlsFacts::*fact) -> std::string_view {
        return tls != nullptr ? std::string_view{(tls->*fact)->front()} : "no TLS";
    };
    const std::string_view version = shown(&TlsFacts::version);
    const std::string_view cipher = shown(&TlsFacts::cipher);
    if (!expect.tls_versions.empty()) {
        judge(
            check,
            result,
            {label(Expected::tls_version),
             has(expect.tls_versions, version.substr(version.find(' ') + 1)),
             Failure::unexpected_protocol},
            [&] { return "TLS " + joined(expect.tls_versions); },
            [&] { return std::string{version}; });
    }
    if (!expect.tls_ciphers.empty()) {
        judge(
            check,
            result,
            {label(Expected::tls_cipher),
             has(expect.tls_ciphers, cipher),
             Failure::unexpected_protocol},
            [&] { return "cipher " + joined(expect.tls_ciphers); },
            [&] { return (tls != nullptr ? "cipher " : "") + std::string{cipher}; });
    }
    if (expect.min_cert_validity > Duration::zero()) {
        judge_validity(check, tls != nullptr ? tls->earliest_expiry : std::nullopt, result);
    }
}

constexpr std::array<std::string_view, static_cast<std::size_t>(Phase::other)> phase_words{
    "a name lookup",
    "a TCP connection",
    "a TLS handshake",
    "a wait for the first byte",
    "a transfer"};

void judge_times(Check& check, ProbeResult& result) {
    const auto at_most = [&](Expected name,
                             std::string_view what,
                             Duration most,
                             const std::optional<Duration>& seen) {
        if (most == Duration::zero() || !seen) {
            return;
        }
        judge(
            check,
            result,
            {label(name), *seen <= most, Failure::too_slow},
            [&] { return std::string{what} + " of at most " + config::format_duration(most); },
            [&] { return std::string{what} + " of " + milliseconds(*seen); });
    };
    const Expectations& expect = check.spec.expect;
    at_most(Expected::max_rtt,
            "a round-trip time",
            expect.max_rtt,
            check.answered ? std::optional{*check.answered - check.started} : std::nullopt);
    for (std::size_t i = 0; i < expect.max_phase.size(); ++i) {
        at_most(static_cast<Expected>(static_cast<std::size_t>(Expected::max_resolve) + i),
                phase_words[i],
                expect.max_phase[i],
                check.phases[static_cast<Phase>(i)]);
    }
}

}  // namespace

void judge_expectations(Check& check, const Url& url, const Receiver* final, ProbeResult& result) {
    if (check.last_hop.tls || check.last_hop.response) {
        judge_tls(check, check.last_hop.tls ? &*check.last_hop.tls : nullptr, result);
    }
    if (check.last_hop.response) {
        judge_status(check, check.last_hop.response->status, result);
        if (final != nullptr) {
            judge_content(check, *final, result);
        }
        judge_response(check, url, result);
    }
    judge_times(check, result);
}

}  // namespace sonde::probes::http

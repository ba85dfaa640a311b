// The tables behind the catalogue: each probe_* name, type, unit and help text is written here and
// nowhere else. Owns no values.
#include "probes/measurement.hpp"

#include "probes/failure.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace sonde::probes {

namespace {

template <typename Enum>
constexpr std::size_t count_of = static_cast<std::size_t>(Enum::count);

template <typename Enum>
constexpr std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
}

using LabelNames = std::span<const std::string_view>;

constexpr std::array<std::string_view, 1> result_label = {"result"};
constexpr std::array<std::string_view, 1> reason_label = {"reason"};
constexpr std::array<std::string_view, 1> name_label = {"name"};
constexpr std::array<std::string_view, 1> regex_label = {"regex"};
constexpr std::array<std::string_view, 1> phase_label = {"phase"};
constexpr std::array<std::string_view, 2> name_value_labels = {"name", "value"};
constexpr std::array<std::string_view, 1> sha256_label = {"sha256"};
constexpr std::array<std::string_view, 1> ip_label = {"ip"};
constexpr std::array<std::string_view, 1> code_label = {"code"};
constexpr std::array<std::string_view, 1> version_label = {"version"};
constexpr std::array<std::string_view, 1> cipher_label = {"cipher"};
constexpr std::array<std::string_view, 1> status_label = {"status"};
constexpr std::array<std::string_view, 3> target_labels = {"url", "kind", "module"};
constexpr std::array<std::string_view, 5> chain_labels = {
    "fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"};

// Labels that no family lists: the one every series has, the one of histogram buckets, and the two
// that Prometheus attaches.
constexpr std::array<std::string_view, 4> other_reserved = {"target", "le", "job", "instance"};

using enum MetricType;
constexpr LabelNames none{};
constexpr bool lean = false;
constexpr bool extra = true;

// One argument a line would make this table three times as long.
// clang-format off
constexpr std::array<FamilyInfo, count_of<Family>> family_table = {{
    {Family::success, "probe_success", gauge, "",
     "Verdict of the last finished check: 1 success, 0 failure. Absent before the first check.",
     none, lean},
    {Family::up, "probe_up", gauge, "",
     "State of the target: 0 after `failures_to_down` failed checks in a row, 1 after "
     "`successes_to_up` successful ones, else what it was. The first check decides alone. Absent "
     "before it.", none, lean},
    {Family::duration, "probe_duration_seconds", gauge, "seconds",
     "Duration of the last finished check in seconds, from its start to its verdict. Absent "
     "before the first check.", none, lean},
    {Family::rtt, "probe_rtt_seconds", histogram, "seconds",
     "Round-trip time in seconds of every check that got a whole answer, also one with a bad "
     "verdict; for websites from the start of the check to the arrival of the last body byte. "
     "Checks without a whole answer are counted in probe_failures_total and never observed "
     "here.", none, lean},
    {Family::last_check_timestamp, "probe_last_check_timestamp_seconds", gauge, "seconds",
     "Start of the last finished check in seconds since the Unix epoch. Absent before the "
     "first check.", none, lean},
    {Family::last_success_timestamp, "probe_last_success_timestamp_seconds", gauge, "seconds",
     "Start of the last successful check in seconds since the Unix epoch. Absent before the "
     "first success.", none, lean},
    {Family::checks_total, "probe_checks_total", counter, "",
     "Finished checks by result; both results are present from the start.", result_label, lean},
    {Family::failures_total, "probe_failures_total", counter, "",
     "Failed checks by reason. A reason is absent until it first happens.", reason_label, lean},
    {Family::skipped_total, "probe_skipped_total", counter, "",
     "Checks that were due and did not run, by reason: overrun, the previous check was still "
     "under way; overload, a limit on checks in flight left no room. A reason is absent until "
     "it first happens.", reason_label, lean},
    {Family::failure_info, "probe_failure_info", gauge, "",
     "1, with the reason for which the last check failed. Absent while the last check "
     "succeeded.", reason_label, lean},
    {Family::interval, "probe_interval_seconds", gauge, "seconds",
     "Time in seconds between two checks of the target, as configured.", none, lean},
    {Family::target_info, "probe_target_info", gauge, "",
     "1, with the target's URL (secrets masked), kind of probe and module (empty when it has "
     "none).", target_labels, lean},
    {Family::expectation_met, "probe_expectation_met", gauge, "",
     "Verdict of a named expectation in the last check: 1 met, 0 not met. Absent while "
     "undecided.", name_label, lean},
    {Family::regex_match, "probe_regex_match", gauge, "",
     "Whether the last check found the pattern, whatever was expected: 1 found, 0 not found. "
     "Absent while undecided. Unnamed patterns go by their text, cut at 128 bytes.",
     regex_label, lean},
    {Family::failed_due_to_regex, "probe_failed_due_to_regex", gauge, "",
     "1 if the last check failed because of a pattern of the body or of a header field, else 0. "
     "Absent for targets without patterns, and when there was no whole answer.", none, lean},
    {Family::extracted_value, "probe_extracted_value", gauge, "",
     "Number that the last check took from the body or a header field, by the name that `extract` "
     "gives it. Absent when it was not found or is no number.", name_label, lean},
    {Family::extracted_info, "probe_extracted_info", gauge, "",
     "1, with the text that the last check took from the body or a header field, cut at 128 "
     "bytes. Absent when it was not found.", name_value_labels, lean},
    {Family::dns_lookup_time, "probe_dns_lookup_time_seconds", gauge, "seconds",
     "Time in seconds that the last check spent on name resolution. Absent when nothing was "
     "resolved.", none, extra},
    {Family::ip_protocol, "probe_ip_protocol", gauge, "",
     "IP version that the last check used, 4 or 6; with a proxy that of the way to it. Absent when "
     "it got no address.", none, lean},
    {Family::ip_addr_hash, "probe_ip_addr_hash", gauge, "",
     "Hash (FNV-1a, 32 bits) of the address that the last check used, to notice when it "
     "changes. Absent when it got no address.", none, extra},
    {Family::http_status_code, "probe_http_status_code", gauge, "",
     "Status code of the last check's final HTTP response. Absent when there was none.",
     none, lean},
    {Family::http_version, "probe_http_version", gauge, "",
     "HTTP version of the last check's final response, such as 1.1 or 2. Absent when there was"
     " none.", none, lean},
    {Family::http_redirects, "probe_http_redirects", gauge, "",
     "Redirects that the last check met, also one that it did not follow. Absent when there was no "
     "response.", none, lean},
    {Family::http_content_length, "probe_http_content_length", gauge, "bytes",
     "Length in bytes that the last check's final response declared in Content-Length. Absent "
     "when it declared none.", none, lean},
    {Family::http_uncompressed_body_length, "probe_http_uncompressed_body_length", gauge, "bytes",
     "Length in bytes of the last check's response body after decoding, as far as it was read."
     " Absent when no body was read.", none, extra},
    {Family::http_ssl, "probe_http_ssl", gauge, "",
     "1 if the last check's final response came over TLS, 0 if not. Absent when there was "
     "none.", none, lean},
    {Family::http_last_modified, "probe_http_last_modified_timestamp_seconds", gauge, "seconds",
     "Last-Modified of the last check's final response in seconds since the Unix epoch. Absent"
     " when it had none that can be read.", none, extra},
    {Family::http_body_sha256, "probe_http_body_sha256_info", gauge, "",
     "1, with the SHA-256 of the last check's decoded body in hexadecimal digits. Absent without "
     "`body_sha256`, and when there was no whole answer.", sha256_label, lean},
    {Family::http_body_changed, "probe_http_body_changed", gauge, "",
     "1 if the last check's decoded body differs from that of the last one before that came whole, "
     "else 0. Absent without `body_changed`, for the first, and when there was no whole answer.",
     none, lean},
    {Family::http_connection_reused, "probe_http_connection_reused", gauge, "",
     "1 if the last check's final request went over a connection that an earlier check had left "
     "open, whose phases are absent then; 0 if it opened one. Absent without `connection = "
     "\"reuse\"`.", none, lean},
    {Family::http_dead_connections_total, "probe_http_dead_connections_total", counter, "",
     "Connections left open by earlier checks that were closed by the server when a check wanted "
     "to use them; that check opened one and, where its request was lost, sent it again. Absent "
     "until it first happens.", none, lean},
    {Family::http_responses_total, "probe_http_responses_total", counter, "",
     "Checks that got a final HTTP response, by its status code. A code is absent until it is "
     "first seen.", code_label, extra},
    {Family::http_duration, "probe_http_duration_seconds", gauge, "seconds",
     "Duration in seconds of each phase of the last check, summed over redirects. The phases, "
     "with what is left as other, add up to the duration of an exchange that came to its end. A "
     "phase that did not end is absent.", phase_label, lean},
    {Family::ssl_earliest_cert_expiry, "probe_ssl_earliest_cert_expiry", gauge, "seconds",
     "Earliest expiry in seconds since the Unix epoch among the certificates that the server "
     "sent in the last check. Absent without TLS.", none, lean},
    {Family::ssl_last_chain_expiry, "probe_ssl_last_chain_expiry_timestamp_seconds", gauge, "seconds",
     "Expiry in seconds since the Unix epoch of the verified chain that lasts longest. Absent "
     "when the last check verified no chain.", none, lean},
    {Family::ssl_last_chain_info, "probe_ssl_last_chain_info", gauge, "",
     "1, with the facts of the server's own certificate as the last check saw it. Absent "
     "without TLS.", chain_labels, lean},
    {Family::tls_version_info, "probe_tls_version_info", gauge, "",
     "1, with the TLS version that the last check negotiated. Absent without TLS.",
     version_label, lean},
    {Family::tls_cipher_info, "probe_tls_cipher_info", gauge, "",
     "1, with the TLS cipher suite that the last check negotiated. Absent without TLS.",
     cipher_label, extra},
    {Family::tls_ocsp_info, "probe_tls_ocsp_info", gauge, "",
     "1, with what the OCSP response that the server stapled in the last check says of its "
     "certificate: good, revoked, unknown, or invalid for a response that is malformed, out of date "
     "or not signed for the certificate's issuer. Absent when none was stapled.",
     status_label, extra},
    {Family::tls_verified, "probe_tls_verified", gauge, "",
     "1 if the server's certificate passed verification in the last check, 0 if not. Absent "
     "without TLS.", none, lean},
    {Family::tls_resumed, "probe_tls_resumed", gauge, "",
     "1 if the last check's TLS handshake resumed the session of an earlier one, whose "
     "certificates are then those of the metrics; 0 if it was a full one. Absent without "
     "`tls.resume`.", none, lean},
    {Family::tcp_rtt, "probe_tcp_rtt_seconds", gauge, "seconds",
     "The kernel's smoothed TCP round-trip time in seconds at the end of the last check's "
     "exchange. Absent without a TCP connection.", none, lean},
    {Family::tcp_retransmits, "probe_tcp_retransmits", gauge, "",
     "TCP segments that the kernel sent again in the last check. Absent without a TCP "
     "connection.", none, extra},
    {Family::address_success, "probe_address_success", gauge, "",
     "Whether the last check succeeded at this address of the target's host: 1 or 0. Absent "
     "without `addresses = \"all\"`, and for addresses that the name no longer has.", ip_label,
     lean},
    {Family::address_duration, "probe_address_duration_seconds", gauge, "seconds",
     "Duration of the last check at this address in seconds, from its start to its verdict. "
     "Absent like probe_address_success.", ip_label, lean},
    {Family::address_rtt, "probe_address_rtt_seconds", gauge, "seconds",
     "Round-trip time of the last check at this address in seconds. Absent like "
     "probe_address_success, and when there was no whole answer.", ip_label, lean},
}};

// clang-format on

struct MeasurementRow {
    Measurement measurement = Measurement::count;
    Family family = Family::count;
    std::optional<Phase> phase;  // the value of the family's label
};

constexpr std::array<MeasurementRow, count_of<Measurement>> measurement_rows = {{
    {Measurement::failed_due_to_regex, Family::failed_due_to_regex, {}},
    {Measurement::dns_lookup_time, Family::dns_lookup_time, {}},
    {Measurement::ip_protocol, Family::ip_protocol, {}},
    {Measurement::ip_addr_hash, Family::ip_addr_hash, {}},
    {Measurement::http_status_code, Family::http_status_code, {}},
    {Measurement::http_version, Family::http_version, {}},
    {Measurement::http_redirects, Family::http_redirects, {}},
    {Measurement::http_content_length, Family::http_content_length, {}},
    {Measurement::http_uncompressed_body_length, Family::http_uncompressed_body_length, {}},
    {Measurement::http_ssl, Family::http_ssl, {}},
    {Measurement::http_last_modified, Family::http_last_modified, {}},
    {Measurement::http_body_changed, Family::http_body_changed, {}},
    {Measurement::http_connection_reused, Family::http_connection_reused, {}},
    {Measurement::http_resolve, Family::http_duration, Phase::resolve},
    {Measurement::http_connect, Family::http_duration, Phase::connect},
    {Measurement::http_tls, Family::http_duration, Phase::tls},
    {Measurement::http_processing, Family::http_duration, Phase::processing},
    {Measurement::http_transfer, Family::http_duration, Phase::transfer},
    {Measurement::http_other, Family::http_duration, Phase::other},
    {Measurement::ssl_earliest_cert_expiry, Family::ssl_earliest_cert_expiry, {}},
    {Measurement::ssl_last_chain_expiry, Family::ssl_last_chain_expiry, {}},
    {Measurement::tls_verified, Family::tls_verified, {}},
    {Measurement::tls_resumed, Family::tls_resumed, {}},
    {Measurement::tcp_rtt, Family::tcp_rtt, {}},
    {Measurement::tcp_retransmits, Family::tcp_retransmits, {}},
}};

constexpr bool families_complete() {
    for (std::size_t i = 0; i < family_table.size(); ++i) {
        const FamilyInfo& row = family_table[i];
        if (index(row.family) != i || row.name.empty() || row.help.empty()) {
            return false;
        }
    }
    return true;
}

// In order, one run for each family, and a label value exactly where the family has its one label.
constexpr bool measurements_complete() {
    for (std::size_t i = 0; i < measurement_rows.size(); ++i) {
        const MeasurementRow& row = measurement_rows[i];
        const std::size_t labels = family_table[index(row.family)].labels.size();
        if (index(row.measurement) != i || labels != (row.phase ? 1U : 0U)) {
            return false;
        }
        if (i > 0 && index(row.family) < index(measurement_rows[i - 1].family)) {
            return false;
        }
    }
    return true;
}

static_assert(families_complete(), "a row is missing or out of the order of Family");
static_assert(measurements_complete(), "a row is missing, out of order or has the wrong labels");

using MeasurementTable = std::array<MeasurementInfo, measurement_rows.size()>;

// Made at first use: the phases' names live in failure.cpp.
const MeasurementTable& measurement_table() {
    static const MeasurementTable table = [] {
        MeasurementTable made{};
        std::ranges::transform(measurement_rows, made.begin(), [](const MeasurementRow& row) {
            return MeasurementInfo{
                row.measurement, row.family, row.phase ? name(*row.phase) : std::string_view{}};
        });
        return made;
    }();
    return table;
}

}  // namespace

const FamilyInfo& info(Family family) {
    return family_table.at(index(family));
}

const MeasurementInfo& info(Measurement measurement) {
    return measurement_table().at(index(measurement));
}

std::span<const FamilyInfo> families() {
    return family_table;
}

std::span<const MeasurementInfo> measurements_of(Family family) {
    // Two searches: clang-tidy 14 cannot compile what std::ranges::equal_range returns.
    const MeasurementTable& table = measurement_table();
    const auto by_family = &MeasurementInfo::family;
    const auto begin = std::ranges::lower_bound(table, family, std::ranges::less{}, by_family);
    const auto end = std::ranges::upper_bound(table, family, std::ranges::less{}, by_family);
    return {begin, end};
}

bool is_reserved_label(std::string_view label) {
    const auto has = [&](const FamilyInfo& family) {
        return std::ranges::find(family.labels, label) != family.labels.end();
    };
    return label.starts_with("__") ||
           std::ranges::find(other_reserved, label) != other_reserved.end() ||
           std::ranges::any_of(family_table, has);
}

}  // namespace sonde::probes

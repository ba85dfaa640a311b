// The closed catalogue of what Sonde can say about a target: every family's name, type, help and
// labels, and every reading a probe can take. Nothing else names a probe_* metric.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sonde::probes {

enum class MetricType : std::uint8_t { gauge, counter, histogram };

/// A metric family of a target. The first group is kept by the store for every target; the others
/// are filled by probes.
enum class Family : std::uint8_t {
    success,
    up,
    duration,
    rtt,
    last_check_timestamp,
    last_success_timestamp,
    checks_total,
    failures_total,
    skipped_total,
    failure_info,
    interval,
    target_info,
    expectation_met,
    regex_match,
    failed_due_to_regex,
    extracted_value,
    extracted_info,
    dns_lookup_time,
    ip_protocol,
    ip_addr_hash,
    http_status_code,
    http_version,
    http_redirects,
    http_content_length,
    http_uncompressed_body_length,
    http_ssl,
    http_last_modified,
    http_body_sha256,
    http_body_changed,
    http_connection_reused,
    http_dead_connections_total,  // kept by the store, like the next
    http_responses_total,
    http_duration,
    ssl_earliest_cert_expiry,
    ssl_last_chain_expiry,
    ssl_last_chain_info,
    tls_version_info,
    tls_cipher_info,
    tls_ocsp_info,
    tls_verified,
    tls_resumed,
    tcp_rtt,
    tcp_retransmits,
    address_success,
    address_duration,
    address_rtt,
    count
};

struct FamilyInfo {
    Family family;
    std::string_view name;  // with _total for counters
    MetricType type;
    std::string_view
        unit;  // "seconds", "bytes" or ""; the name ends in it where OpenMetrics wants it
    std::string_view help;
    std::span<const std::string_view> labels;  // beyond `target` and the target's own
    bool extra;                                // only when asked for in [metrics] extra
};

/// A number that a probe reads at most once in a check: a family, and for families with one fixed
/// label its value (`probe_http_duration_seconds{phase="connect"}` is one measurement).
enum class Measurement : std::uint8_t {
    failed_due_to_regex,
    dns_lookup_time,
    ip_protocol,
    ip_addr_hash,
    http_status_code,
    http_version,
    http_redirects,
    http_content_length,
    http_uncompressed_body_length,
    http_ssl,
    http_last_modified,
    http_body_changed,
    http_connection_reused,
    http_resolve,
    http_connect,
    http_tls,
    http_processing,
    http_transfer,
    http_other,
    ssl_earliest_cert_expiry,
    ssl_last_chain_expiry,
    tls_verified,
    tls_resumed,
    tcp_rtt,
    tcp_retransmits,
    count
};

struct MeasurementInfo {
    Measurement measurement;
    Family family;
    std::string_view label_value;  // of the family's only label; empty when it has none
};

[[nodiscard]] const FamilyInfo& info(Family family);
[[nodiscard]] const MeasurementInfo& info(Measurement measurement);

/// All families in the order in which they are exposed.
[[nodiscard]] std::span<const FamilyInfo> families();

/// The measurements of one family, a contiguous run; empty for families of labelled readings and of
/// the store.
[[nodiscard]] std::span<const MeasurementInfo> measurements_of(Family family);

/// Label names that a target's own labels may not use: each label of the catalogue (with the `le`
/// of histograms), `target`, `job`, `instance` and all that begin with `__`.
[[nodiscard]] bool is_reserved_label(std::string_view label);

}  // namespace sonde::probes

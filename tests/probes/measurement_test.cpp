#include "probes/measurement.hpp"

#include "probes/failure.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace sonde::probes;  // NOLINT(google-build-using-namespace)

namespace {

std::vector<std::string_view> names(bool extra) {
    std::vector<std::string_view> found;
    for (const FamilyInfo& family : families()) {
        if (family.extra == extra) {
            found.push_back(family.name);
        }
    }
    return found;
}

bool is_filled_by_the_last_check(const FamilyInfo& family) {
    return family.family > Family::target_info && family.type == MetricType::gauge;
}

}  // namespace

TEST_CASE("measurement: the catalogue is the one of the documented metrics") {
    CHECK(names(false) ==
          std::vector<std::string_view>{"probe_success",
                                        "probe_up",
                                        "probe_duration_seconds",
                                        "probe_rtt_seconds",
                                        "probe_last_check_timestamp_seconds",
                                        "probe_last_success_timestamp_seconds",
                                        "probe_checks_total",
                                        "probe_failures_total",
                                        "probe_skipped_total",
                                        "probe_failure_info",
                                        "probe_interval_seconds",
                                        "probe_target_info",
                                        "probe_expectation_met",
                                        "probe_regex_match",
                                        "probe_failed_due_to_regex",
                                        "probe_extracted_value",
                                        "probe_extracted_info",
                                        "probe_ip_protocol",
                                        "probe_http_status_code",
                                        "probe_http_version",
                                        "probe_http_redirects",
                                        "probe_http_content_length",
                                        "probe_http_ssl",
                                        "probe_http_body_sha256_info",
                                        "probe_http_body_changed",
                                        "probe_http_connection_reused",
                                        "probe_http_dead_connections_total",
                                        "probe_http_duration_seconds",
                                        "probe_ssl_earliest_cert_expiry",
                                        "probe_ssl_last_chain_expiry_timestamp_seconds",
                                        "probe_ssl_last_chain_info",
                                        "probe_tls_version_info",
                                        "probe_tls_verified",
                                        "probe_tls_resumed",
                                        "probe_tcp_rtt_seconds",
                                        "probe_address_success",
                                        "probe_address_duration_seconds",
                                        "probe_address_rtt_seconds"});
    CHECK(names(true) == std::vector<std::string_view>{"probe_dns_lookup_time_seconds",
                                                       "probe_ip_addr_hash",
                                                       "probe_http_uncompressed_body_length",
                                                       "probe_http_last_modified_timestamp_seconds",
                                                       "probe_http_responses_total",
                                                       "probe_tls_cipher_info",
                                                       "probe_tls_ocsp_info",
                                                       "probe_tcp_retransmits"});
}

TEST_CASE("measurement: types and units follow the names") {
    std::set<std::string_view> seen;
    for (const FamilyInfo& family : families()) {
        CAPTURE(family.name);
        CHECK(seen.insert(family.name).second);
        CHECK(&info(family.family) == &family);
        CHECK((family.type == MetricType::counter) == family.name.ends_with("_total"));
        CHECK((family.type == MetricType::histogram) == (family.family == Family::rtt));
        if (family.name.ends_with("_seconds")) {
            CHECK(family.unit == "seconds");
        }
        if (!family.unit.empty()) {
            CHECK(family.help.find(family.unit) != std::string_view::npos);
        }
    }
}

TEST_CASE("measurement: help texts are sentences and say when a reading is absent") {
    for (const FamilyInfo& family : families()) {
        CAPTURE(family.name);
        CHECK(family.help.ends_with('.'));
        CHECK(family.help.find("  ") == std::string_view::npos);
        if (is_filled_by_the_last_check(family)) {
            const bool says = family.help.find("Absent ") != std::string_view::npos ||
                              family.help.find("is absent") != std::string_view::npos;
            CHECK(says);
        }
    }
}

TEST_CASE("measurement: each reading is in the run of its family") {
    std::size_t count = 0;
    for (const FamilyInfo& family : families()) {
        CAPTURE(family.name);
        for (const MeasurementInfo& measurement : measurements_of(family.family)) {
            CHECK(measurement.family == family.family);
            CHECK(measurement.label_value.empty() == family.labels.empty());
            CHECK(info(measurement.measurement).measurement == measurement.measurement);
            ++count;
        }
    }
    CHECK(count == static_cast<std::size_t>(Measurement::count));
    CHECK(measurements_of(Family::success).empty());
    CHECK(measurements_of(Family::regex_match).empty());
    CHECK(measurements_of(Family::tls_verified).size() == 1);
}

TEST_CASE("measurement: the phases are those of Phase, in order") {
    const auto phases = measurements_of(Family::http_duration);
    REQUIRE(phases.size() == static_cast<std::size_t>(Phase::count));
    for (std::size_t i = 0; i < phases.size(); ++i) {
        CHECK(phases[i].label_value == name(static_cast<Phase>(i)));
    }
    CHECK(info(Measurement::http_connect).label_value == "connect");
}

TEST_CASE("measurement: labels of the catalogue and of Prometheus are reserved") {
    for (const std::string_view label : {"target",       "job",
                                         "instance",     "le",
                                         "result",       "reason",
                                         "url",          "kind",
                                         "module",       "name",
                                         "regex",        "phase",
                                         "code",         "version",
                                         "cipher",       "status",
                                         "subject",      "issuer",
                                         "serialnumber", "fingerprint_sha256",
                                         "__name__",     "subjectalternative",
                                         "__x"}) {
        CAPTURE(label);
        CHECK(is_reserved_label(label));
    }
    for (const std::string_view label : {"team", "env", "Target", "targets", "_x", ""}) {
        CAPTURE(label);
        CHECK_FALSE(is_reserved_label(label));
    }
}

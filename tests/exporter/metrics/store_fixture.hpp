// Jobs and results for tests of the metric store and of what reads it.
#pragma once

#include "exporter/metrics/cursor.hpp"
#include "exporter/metrics/store.hpp"
#include "exporter/plan/job.hpp"
#include "probes/result.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde::tests {

inline const std::vector<double>& default_buckets() {
    static const std::vector<double> bounds = {
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
    return bounds;
}

inline exporter::Job make_job(std::string name, exporter::Labels labels = {}) {
    exporter::Job job;
    job.shown_url = "https://" + name + ".example/";
    job.target.name = std::move(name);
    job.kind = "http";
    job.labels = std::make_shared<const exporter::Labels>(std::move(labels));
    job.interval = std::chrono::seconds{30};
    job.timeout = std::chrono::seconds{10};
    return job;
}

inline probes::net::UnixTime unix_time(std::int64_t milliseconds) {
    return probes::net::UnixTime{std::chrono::milliseconds{milliseconds}};
}

inline probes::LabelledReading labelled(probes::Family family,
                                        std::vector<std::string> labels,
                                        double value) {
    return {family, std::make_shared<const std::vector<std::string>>(std::move(labels)), value};
}

inline probes::ProbeResult success(std::chrono::milliseconds rtt) {
    probes::ProbeResult result;
    result.failure = probes::Failure::none;
    result.duration = rtt + std::chrono::milliseconds{1};
    result.rtt = rtt;
    return result;
}

inline probes::ProbeResult failure(probes::Failure reason, std::string detail) {
    probes::ProbeResult result;
    result.failure = reason;
    result.detail = std::move(detail);
    result.duration = std::chrono::seconds{10};
    return result;
}

/// All that a check of a well HTTPS website without patterns reads, extras included.
inline probes::ProbeResult https_result() {
    using probes::Measurement;
    probes::ProbeResult result = success(std::chrono::milliseconds{120});
    result.readings.set(Measurement::dns_lookup_time, 0.002);
    result.readings.set(Measurement::ip_protocol, 4.0);
    result.readings.set(Measurement::ip_addr_hash, 3232235777.0);
    result.readings.set(Measurement::http_status_code, 200.0);
    result.readings.set(Measurement::http_version, 1.1);
    result.readings.set(Measurement::http_redirects, 0.0);
    result.readings.set(Measurement::http_content_length, 5120.0);
    result.readings.set(Measurement::http_uncompressed_body_length, 5120.0);
    result.readings.set(Measurement::http_ssl, 1.0);
    result.readings.set(Measurement::http_last_modified, 1.6e9);
    for (const auto& phase : probes::measurements_of(probes::Family::http_duration)) {
        result.readings.set(phase.measurement, std::chrono::microseconds{12345});
    }
    result.readings.set(Measurement::ssl_earliest_cert_expiry, 1.9e9);
    result.readings.set(Measurement::ssl_last_chain_expiry, 1.9e9);
    result.readings.set(Measurement::tls_verified, 1.0);
    result.readings.set(Measurement::tcp_rtt, std::chrono::microseconds{23456});
    result.readings.set(Measurement::tcp_retransmits, 0.0);
    result.labelled = {
        labelled(probes::Family::ssl_last_chain_info,
                 {"f00d", "CN=shop.example", "CN=R3,O=\"Let's Encrypt\"", "shop.example", "1a"},
                 1),
        labelled(probes::Family::tls_version_info, {"TLS 1.3"}, 1),
        labelled(probes::Family::tls_cipher_info, {"TLS_AES_128_GCM_SHA256"}, 1),
        labelled(probes::Family::tls_ocsp_info, {"good"}, 1)};
    return result;
}

inline std::vector<std::string> all_extras() {
    std::vector<std::string> names;
    for (const probes::FamilyInfo& family : probes::families()) {
        if (family.extra) {
            names.emplace_back(family.name);
        }
    }
    return names;
}

/// A walk's samples as `name{labels} value`, in its order.
inline std::vector<std::string> lines(exporter::MetricStore::Cursor& cursor) {
    std::vector<std::string> all;
    while (cursor.next()) {
        for (const auto& sample : cursor.samples()) {
            std::string line{sample.name};
            line.append("{").append(sample.labels).append(sample.more).append("} ");
            std::string value = std::to_string(sample.value);
            value.erase(value.find_last_not_of('0') + 1);
            line += value.ends_with('.') ? value.substr(0, value.size() - 1) : value;
            all.push_back(std::move(line));
        }
    }
    return all;
}

inline std::vector<std::string> lines(const exporter::MetricStore& store,
                                      std::vector<std::string> families = {}) {
    exporter::MetricStore::Cursor cursor(store, {std::move(families)});
    return lines(cursor);
}

using Lines = std::vector<std::string>;

inline Lines named(const exporter::MetricStore& store, std::string family) {
    return lines(store, {std::move(family)});
}

inline std::size_t count_with(const Lines& all, std::string_view part) {
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

inline std::vector<exporter::MetricStore::State> states(const exporter::MetricStore& store) {
    std::vector<exporter::MetricStore::State> all;
    store.for_each([&](const exporter::MetricStore::State& state) {
        all.push_back(state);
        return true;
    });
    return all;
}

}  // namespace sonde::tests

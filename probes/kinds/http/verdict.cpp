#include "probes/kinds/http/verdict.hpp"

#include <utility>

namespace sonde::probes::http {

namespace {

using M = Measurement;

/// FNV-1a over the address bytes, as blackbox_exporter hashes them.
std::uint32_t address_hash(std::string_view bytes) {
    std::uint32_t hash = 2166136261U;
    for (const char c : bytes) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    }
    return hash;
}

void read_phases(const Check& check, Readings& readings) {
    constexpr std::pair<Phase, M> phases[] = {{Phase::resolve, M::http_resolve},
                                              {Phase::connect, M::http_connect},
                                              {Phase::tls, M::http_tls},
                                              {Phase::processing, M::http_processing},
                                              {Phase::transfer, M::http_transfer}};
    for (const auto& [phase, measurement] : phases) {
        if (const auto length = check.phases[phase]) {
            readings.set(measurement, *length);
        }
    }
    if (check.answered) {
        readings.set(M::http_other, *check.answered - check.started - check.phases.total());
    }
    if (const auto lookup = check.phases[Phase::resolve]) {
        readings.set(M::dns_lookup_time, *lookup);
    }
}

void read_connection(const Check& check, Readings& readings) {
    if (check.last_hop.address) {
        readings.set(M::ip_protocol, check.last_hop.address->is_v6() ? 6 : 4);
        readings.set(M::ip_addr_hash, address_hash(check.last_hop.address->bytes()));
    }
    if (check.reused) {
        readings.set(M::http_connection_reused, *check.reused ? 1 : 0);
    }
    if (check.last_hop.path) {
        readings.set(M::tcp_rtt, Duration{check.last_hop.path->rtt});
        readings.set(M::tcp_retransmits, check.last_hop.path->retransmits);
    }
}

void read_response(const Check& check, Readings& readings) {
    if (check.last_hop.response || check.redirects > 0) {
        const bool one_more = check.last_hop.response && check.last_hop.response->redirects;
        readings.set(M::http_redirects, check.redirects + (one_more ? 1 : 0));
    }
    if (!check.last_hop.response) {
        return;
    }
    const ResponseFacts& response = *check.last_hop.response;
    readings.set(M::http_status_code, response.status);
    readings.set(M::http_version, response.version / 10.0);
    readings.set(M::http_ssl, response.over_tls ? 1 : 0);
    readings.set(M::http_uncompressed_body_length, static_cast<double>(response.decoded_bytes));
    if (response.content_length) {
        readings.set(M::http_content_length, static_cast<double>(*response.content_length));
    }
    if (response.last_modified) {
        readings.set(M::http_last_modified, static_cast<double>(*response.last_modified));
    }
}

void read_tls(const Check& check, ProbeResult& result) {
    if (!check.last_hop.tls) {
        return;
    }
    const TlsFacts& tls = *check.last_hop.tls;
    result.readings.set(M::tls_verified, tls.verified ? 1 : 0);
    if (check.spec.resume_tls) {
        result.readings.set(M::tls_resumed, tls.resumed ? 1 : 0);
    }
    if (tls.earliest_expiry) {
        result.readings.set(M::ssl_earliest_cert_expiry, static_cast<double>(*tls.earliest_expiry));
    }
    if (tls.last_chain_expiry) {
        result.readings.set(M::ssl_last_chain_expiry, static_cast<double>(*tls.last_chain_expiry));
    }
    result.labelled.push_back({Family::tls_version_info, tls.version, 1});
    result.labelled.push_back({Family::tls_cipher_info, tls.cipher, 1});
    if (tls.ocsp) {
        result.labelled.push_back({Family::tls_ocsp_info, tls.ocsp, 1});
    }
    if (tls.chain_info) {
        result.labelled.push_back({Family::ssl_last_chain_info, tls.chain_info, 1});
    }
}

}  // namespace

void finish(Check& check, ProbeResult& result) {
    // What follows is for the record, not for the verdict.
    result.duration = check.run.now() - check.started;
    read_phases(check, result.readings);
    read_connection(check, result.readings);
    read_response(check, result.readings);
    read_tls(check, result);
    if (check.answered) {
        result.rtt = *check.answered - check.started;
    }
    result.arrival_from_kernel = check.last_hop.arrival_from_kernel;
    result.failure = check.failure;
    result.dead_connections = check.dead_connections;
    result.exhausted = check.exhausted;
    result.detail = std::move(check.detail);
}

}  // namespace sonde::probes::http

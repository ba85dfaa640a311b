// `sonde probe`: what a hostile server sends reaches no terminal and no JSON parser as it is.
#include "exporter/probe_report.hpp"

#include "exporter/utf8.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace sonde;  // NOLINT(google-build-using-namespace)

namespace {

struct Report {
    exporter::Runner::Outcome outcome;
    probes::Trace trace;

    explicit Report(const std::string& sent) {
        outcome.result.failure = probes::Failure::protocol_error;
        outcome.result.detail = sent;
        probes::TraceHop& hop = trace.hops.emplace_back();
        hop.url = "http://a.test/";
        hop.status = 200;
        hop.headers.emplace_back("Server", sent);
        trace.expectations.push_back({"pattern", false, sent});
    }

    [[nodiscard]] exporter::ProbeReport get() const {
        return {"http://a.test/", "http", outcome, trace};
    }
};

std::string text_of(const std::string& sent) {
    return exporter::report_text(Report{sent}.get(), false);
}

}  // namespace

TEST_CASE("probe report: JSON is valid UTF-8 whatever bytes the server sent") {
    const std::string latin1 = "caf\xE9 \"\xC3";
    const std::string json = exporter::report_json(Report{latin1}.get());
    CHECK(exporter::repaired_utf8(json) == json);
    const auto report = boost::json::parse(json);
    const std::string repaired = "caf\xEF\xBF\xBD \"\xEF\xBF\xBD";
    const auto& headers = report.at("hops").at(0).at("headers");
    CHECK(headers.at(0).at("value").as_string() == repaired);
    CHECK(report.at("detail").as_string() == repaired);
}

TEST_CASE("probe report: JSON keeps good UTF-8") {
    const std::string good = "caf\xC3\xA9 \xE2\x82\xAC";
    const auto report = boost::json::parse(exporter::report_json(Report{good}.get()));
    CHECK(report.at("detail").as_string() == good);
}

TEST_CASE("probe report: the terminal gets no control character, of C0 or of C1, and no raw byte") {
    CHECK(text_of("a\x1b[2J\x7f\n").find("a\\x1b[2J\\x7f\\x0a") != std::string::npos);
    CHECK(text_of("a\xC2\x9B"
                  "2Jz")
              .find("a\\xc2\\x9b2Jz") != std::string::npos);
    CHECK(text_of("a\x9Bz\xC2").find("a\\x9bz\\xc2") != std::string::npos);
    // U+00A0 and beyond are letters and signs.
    CHECK(text_of("\xC2\xA0\xC3\xA9\xE2\x82\xAC").find("\xC2\xA0\xC3\xA9\xE2\x82\xAC") !=
          std::string::npos);
}

namespace {

struct TlsReport : Report {
    TlsReport() : Report("certificate has expired") {
        outcome.result.failure = probes::Failure::certificate_expired;
        outcome.result.duration = std::chrono::milliseconds{30};
        probes::TraceHop& hop = trace.hops.back();
        hop.address = "192.0.2.1:443";
        hop.status.reset();
        hop.spans = {
            {probes::Phase::connect, {}, std::chrono::milliseconds{10}},
            {probes::Phase::tls, std::chrono::milliseconds{10}, std::chrono::milliseconds{15}}};
        probes::TraceTls& tls = hop.tls.emplace();
        tls.version = "TLS 1.3";
        tls.cipher = "TLS_AES_128_GCM_SHA256";
        tls.errors = {{"CERT_HAS_EXPIRED", 10, "certificate has expired", 0}};
        tls.sent = {{.position = 0,
                     .subject = "CN=leaf",
                     .issuer = "CN=root",
                     .serial = "0a0b",
                     .names = {"DNS:a.test", "IP:192.0.2.1"},
                     .not_before = 0,
                     .not_after = 86400,
                     .key_type = "EC",
                     .key_bits = 256,
                     .signature_algorithm = "ecdsa-with-SHA256",
                     .fingerprint = "f00d"}};
        tls.verified = {tls.sent[0], {.position = 1, .subject = "CN=root", .issuer = "CN=root"}};
        tls.trust_anchor = "CN=root";
        tls.ocsp = {{.status = "revoked",
                     .signature_verified = true,
                     .this_update = 0,
                     .next_update = 86400,
                     .revoked_at = 3600,
                     .revocation_reason = "keyCompromise"}};
    }
};

}  // namespace

TEST_CASE("probe report: all of TLS, the hops' times and where it failed, for people") {
    const std::string text = exporter::report_text(TlsReport{}.get(), false);
    for (const std::string_view part :
         {"failed: certificate_expired",
          "in hop 1, after connect, tls",
          "192.0.2.1:443",
          "sum             25.00 ms",
          "25.00 ms in the phases of 1 hop, 5.00 ms beside them",
          "not verified",
          "CERT_HAS_EXPIRED (10): certificate has expired, certificate 0",
          "revoked (keyCompromise), since 1970-01-01 01:00:00 UTC",
          "DNS:a.test, IP:192.0.2.1",
          "1970-01-01 00:00:00 UTC to 1970-01-02 00:00:00 UTC",
          "EC 256 bits",
          "ecdsa-with-SHA256",
          "0a0b",
          "1  CN=root  (not sent)",
          "without approving it",
          "trust anchor CN=root"}) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
}

TEST_CASE("probe report: the same for machines") {
    const auto report = boost::json::parse(exporter::report_json(TlsReport{}.get()));
    CHECK(report.at("failed_in_hop").to_number<int>() == 1);
    const auto& hop = report.at("hops").at(0);
    CHECK(hop.at("phases_seconds").to_number<double>() == doctest::Approx(0.025));
    CHECK(hop.at("phases").as_array().size() == 2);
    const auto& tls = hop.at("tls");
    CHECK_FALSE(tls.at("verified").as_bool());
    const auto& error = tls.at("verification_errors").at(0);
    CHECK(error.at("name") == "CERT_HAS_EXPIRED");
    CHECK(error.at("code").to_number<int>() == 10);
    CHECK(error.at("position").to_number<int>() == 0);
    CHECK(tls.at("sent_chain").as_array().size() == 1);
    CHECK(tls.at("sent_chain").at(0).at("names").at(1) == "IP:192.0.2.1");
    CHECK(tls.at("sent_chain").at(0).at("key_bits").to_number<int>() == 256);
    CHECK(tls.at("verified_chain").as_array().size() == 2);
    CHECK(tls.at("trust_anchor") == "CN=root");
    CHECK(tls.at("ocsp").at("status") == "revoked");
    CHECK(tls.at("ocsp").at("revoked_at").to_number<int>() == 3600);
}

TEST_CASE("probe report: words for a staple that is not to be believed") {
    CHECK(exporter::ocsp_text({.status = "good"}) == "good");
    CHECK(exporter::ocsp_text({.status = "good", .problem = "it is out of date"}) ==
          "good, but not to be believed: it is out of date");
    CHECK(exporter::ocsp_text({.problem = "it is no OCSP response"}) ==
          "invalid: it is no OCSP response");
}

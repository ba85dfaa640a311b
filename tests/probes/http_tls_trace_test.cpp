// What a person is shown of TLS: both chains, each error by name, the staple; also of a check that
// fails for its certificate. And what the staple does to the metrics.
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>
#include <openssl/ocsp.h>

#include <algorithm>

using namespace sonde::probes;
using namespace sonde::tests;

namespace {

struct Seen {
    ProbeResult result;
    Trace trace;

    [[nodiscard]] const TraceTls& tls() const {
        REQUIRE(trace.hops.size() == 1);
        REQUIRE(trace.hops[0].tls);
        return *trace.hops[0].tls;
    }
};

Seen look(const ScriptedServer& server, const std::string& settings) {
    Seen seen;
    seen.result =
        check_site(server.url("/", "https"), {.settings = settings, .trace = &seen.trace});
    return seen;
}

std::vector<std::string> subjects(const std::vector<TraceCertificate>& chain) {
    std::vector<std::string> out;
    for (const TraceCertificate& certificate : chain) {
        CHECK(certificate.position == out.size());
        out.push_back(certificate.subject);
    }
    return out;
}

std::vector<std::string> names_of(const std::vector<TraceVerifyError>& errors) {
    std::vector<std::string> out;
    for (const TraceVerifyError& error : errors) {
        out.push_back(error.name);
    }
    std::ranges::sort(out);
    return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("the chain that was sent and the one that was verified, also when it is remembered") {
    const TestCa ca("the root");
    const TempDir directory;
    const TestCa between = ca.intermediate("between");
    CertificateSpec spec;
    spec.common_name = "leaf";
    spec.more_names = "URI:spiffe://shop,email:ops@shop.test";
    ScriptedServer server({tls_answer({.identity = between.issue(spec)}, response("there"))});
    for (int i = 0; i < 2; ++i) {
        CAPTURE(i);
        const Seen seen = look(server, trust(ca, directory));
        CHECK(seen.result.failure == Failure::none);
        const TraceTls& tls = seen.tls();
        CHECK(tls.version == "TLS 1.3");
        CHECK(tls.errors.empty());
        CHECK(subjects(tls.sent) == Words{"CN=leaf", "CN=between"});
        CHECK(subjects(tls.verified) == Words{"CN=leaf", "CN=between", "CN=the root"});
        CHECK(tls.trust_anchor == "CN=the root");
        CHECK_FALSE(tls.ocsp);
        const TraceCertificate& leaf = tls.sent[0];
        CHECK(leaf.issuer == "CN=between");
        CHECK(leaf.names == Words{"DNS:localhost",
                                  "IP:127.0.0.1",
                                  "IP:::1",
                                  "URI:spiffe://shop",
                                  "email:ops@shop.test"});
        CHECK(leaf.serial.size() >= 20);
        CHECK(leaf.not_before < leaf.not_after);
        CHECK(leaf.key_type == "EC");
        CHECK(leaf.key_bits == 256);
        CHECK(leaf.signature_algorithm == "ecdsa-with-SHA256");
        CHECK(leaf.fingerprint.size() == 64);
    }
    for (const Conversation& seen : server.finished(2)) {
        CHECK(seen.asked_for_staple);
    }
}

TEST_CASE("all errors by name with their certificate, and the chain as far as it was built") {
    const TestCa ca("the root");
    const TempDir directory;
    CertificateSpec spec = CertificateSpec::expired();
    spec.dns_names = {"elsewhere.invalid"};
    spec.addresses.clear();
    ScriptedServer server({{step::tls({.identity = ca.issue(spec)}), step::wait_for_close()}});
    const Seen known = look(server, trust(ca, directory));
    CHECK(known.result.failure == Failure::certificate_expired);
    CHECK(names_of(known.tls().errors) == Words{"CERT_HAS_EXPIRED", "IP_ADDRESS_MISMATCH"});
    CHECK(known.tls().errors[0].position == 0);
    CHECK(known.tls().errors[0].code > 0);
    CHECK_FALSE(known.tls().errors[0].text.empty());
    CHECK(subjects(known.tls().sent) == Words{"CN=sonde test leaf"});
    CHECK(subjects(known.tls().verified) == Words{"CN=sonde test leaf", "CN=the root"});
    CHECK(known.tls().trust_anchor == "CN=the root");

    const TestCa other("another root");
    const Seen strange = look(server, trust(other, directory));
    CHECK(strange.result.failure == Failure::certificate_untrusted);
    CHECK(subjects(strange.tls().sent) == Words{"CN=sonde test leaf"});
    CHECK(strange.tls().trust_anchor == "");
    CHECK(names_of(strange.tls().errors).size() >= 3);
}

TEST_CASE("a stapled OCSP response is told and exported, and decides nothing") {
    const TestCa ca;
    const TempDir directory;
    const Identity identity = ca.issue();

    struct Case {
        std::string staple;
        std::string label;
        std::string status;
    };

    const std::vector<Case> cases{
        {ca.ocsp(identity, {}), "good", "good"},
        {ca.ocsp(identity, {.status = V_OCSP_CERTSTATUS_REVOKED, .reason = 1}),
         "revoked",
         "revoked"},
        {ca.ocsp(identity, {.status = V_OCSP_CERTSTATUS_UNKNOWN}), "unknown", "unknown"},
        {ca.ocsp(identity,
                 {.this_update = -std::chrono::hours(48), .next_update = -std::chrono::hours(24)}),
         "invalid",
         "good"},
        {"no response at all", "invalid", ""},
    };
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const Case& one : cases) {
            CAPTURE(version);
            CAPTURE(one.label);
            ScriptedServer server(
                {tls_answer({.identity = identity, .max_version = version, .ocsp = one.staple},
                            response("there"))});
            for (int i = 0; i < 2; ++i) {
                const Seen seen = look(server, trust(ca, directory));
                CHECK(seen.result.failure == Failure::none);
                CHECK(labels_of(seen.result, Family::tls_ocsp_info) == Words{one.label});
                REQUIRE(seen.tls().ocsp);
                CHECK(seen.tls().ocsp->status == one.status);
                CHECK(seen.tls().ocsp->problem.empty() == (one.label != "invalid"));
            }
        }
    }
    ScriptedServer without({tls_answer({.identity = identity}, response("there"))});
    CHECK(labels_of(look(without, trust(ca, directory)).result, Family::tls_ocsp_info).empty());
}

TEST_CASE("a staple of a certificate that nobody trusts: its issuer is not known") {
    const TestCa ca;
    const TempDir directory;
    const TestCa other("another root");
    const Identity identity = ca.issue();
    ScriptedServer server({{step::tls({.identity = identity, .ocsp = ca.ocsp(identity, {})}),
                            step::wait_for_close()}});
    const Seen seen = look(server, trust(other, directory));
    CHECK(seen.result.failure == Failure::certificate_untrusted);
    REQUIRE(seen.tls().ocsp);
    CHECK(mentions(seen.tls().ocsp->problem, {"issuer is not known"}));
    CHECK(labels_of(seen.result, Family::tls_ocsp_info) == Words{"invalid"});
}

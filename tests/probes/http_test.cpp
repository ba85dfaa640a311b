// The http kind when all goes well: what a good answer gives, over both families, plain and TLS.
#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

double sum_of_phases(const ProbeResult& result) {
    double sum = 0;
    for (const MeasurementInfo& row : measurements_of(Family::http_duration)) {
        sum += result.readings.get(row.measurement).value_or(0);
    }
    return sum;
}

}  // namespace

TEST_CASE("a plain page over IPv4 gives status, sizes, phases and the kernel's numbers") {
    ScriptedServer server(
        {answer(response("hello", "Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n"))});
    const ProbeResult result = check_site(server.url("/page?x=1"));
    CHECK(result.failure == Failure::none);
    CHECK(result.detail == "");
    const Readings& readings = result.readings;
    CHECK(readings.get(M::http_status_code) == 200);
    CHECK(readings.get(M::http_version) == 1.1);
    CHECK(readings.get(M::http_ssl) == 0);
    CHECK(readings.get(M::http_redirects) == 0);
    CHECK(readings.get(M::http_content_length) == 5);
    CHECK(readings.get(M::http_uncompressed_body_length) == 5);
    CHECK(readings.get(M::http_last_modified) == 1700000000);
    CHECK(readings.get(M::ip_protocol) == 4);
    CHECK(readings.get(M::ip_addr_hash).has_value());
    CHECK(readings.get(M::tcp_rtt).value_or(0) > 0);
    CHECK(readings.get(M::tcp_retransmits) == 0);
    CHECK_FALSE(readings.get(M::dns_lookup_time));
    CHECK_FALSE(readings.get(M::tls_verified));
    CHECK_FALSE(readings.get(M::failed_due_to_regex));
    CHECK(phases_of(result) == "connect processing transfer other");
    CHECK(labelled(result, Family::expectation_met, "status") == 1);

    const Conversation seen = server.finished()[0];
    CHECK(seen.received.starts_with("GET /page?x=1 HTTP/1.1\r\n"));
    CHECK(seen.hosts() == std::vector{server.address()});
    CHECK(seen.received.find("\r\nUser-Agent: Sonde/") != std::string::npos);
}

TEST_CASE(
    "phases and their remainder add up to the round-trip time, which is within the duration") {
    const TestCa ca;
    const TempDir directory;
    DnsServer dns({{"site.test", {.a = {"127.0.0.1"}}}});
    CertificateSpec spec;
    spec.dns_names = {"site.test"};
    ScriptedServer server({tls_answer({.identity = ca.issue(spec)}, response("hello"))});
    const ProbeResult result =
        check_site("https://site.test:" + std::to_string(server.port()) + "/",
                   {.settings = trust(ca, directory), .dns_server = dns.address()});
    CHECK(result.failure == Failure::none);
    CHECK(phases_of(result) == "resolve connect tls processing transfer other");
    REQUIRE(result.rtt);
    const double rtt = std::chrono::duration<double>(*result.rtt).count();
    CHECK(std::abs(sum_of_phases(result) - rtt) < 1e-6);
    CHECK(result.readings.get(M::http_other).value_or(-1) >= 0);
    CHECK(*result.rtt <= result.duration);
    CHECK(result.readings.get(M::dns_lookup_time) == result.readings.get(M::http_resolve));
}

TEST_CASE("the wait for the first byte is processing, the rest is transfer") {
    Latch asked;
    Latch first_half;
    ScriptedServer server({{step::read_request(),
                            step::signal(asked),
                            step::pause(first_half),
                            step::send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"),
                            step::send("cd")}});
    // The server stands still for a time that this thread knows at least.
    std::chrono::steady_clock::duration stood{};
    std::thread opener([&] {
        CHECK(asked.wait());
        const auto began = std::chrono::steady_clock::now();
        const Latch never;
        CHECK_FALSE(never.wait(std::chrono::milliseconds(60)));
        stood = std::chrono::steady_clock::now() - began;
        first_half.open();
    });
    const ProbeResult result = check_site(server.url());
    opener.join();
    CHECK(result.failure == Failure::none);
    const double waited = std::chrono::duration<double>(stood).count();
    // The probe's clock for it starts before the server has read the request.
    CHECK(result.readings.get(M::http_processing).value_or(0) >= waited);
    CHECK(result.readings.get(M::http_transfer).value_or(1) < waited);
}

TEST_CASE("a page over IPv6" * doctest::skip(!has_ipv6())) {
    ScriptedServer server({answer(response("hello"))}, IpFamily::v6);
    const ProbeResult result = check_site(server.url());
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::ip_protocol) == 6);
    CHECK(server.finished()[0].hosts() == std::vector{server.address()});
}

TEST_CASE("https verifies against the CA and tells version, cipher and certificate") {
    const TestCa ca;
    const TempDir directory;
    const Identity identity = ca.intermediate().issue();
    ScriptedServer server({tls_answer({.identity = identity}, response("hello"))});
    const ProbeResult result =
        check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::tls_verified) == 1);
    CHECK(result.readings.get(M::http_ssl) == 1);
    CHECK(result.readings.get(M::ssl_earliest_cert_expiry) ==
          static_cast<double>(identity.not_after_unix()));
    CHECK(result.readings.get(M::ssl_last_chain_expiry) ==
          static_cast<double>(identity.not_after_unix()));
    CHECK(labels_of(result, Family::tls_version_info) == std::vector<std::string>{"TLS 1.3"});
    CHECK(labels_of(result, Family::tls_cipher_info).size() == 1);
    const auto chain = labels_of(result, Family::ssl_last_chain_info);
    REQUIRE(chain.size() == 5);
    CHECK(chain[0].size() == 64);
    CHECK(chain[1] == "CN=sonde test leaf");
    CHECK(chain[2] == "CN=sonde test intermediate");
    CHECK(chain[3] == "localhost");
    CHECK(phases_of(result) == "connect tls processing transfer other");
    // RFC 6066 section 3: an address is no server name.
    CHECK_FALSE(server.finished()[0].sni);
}

TEST_CASE("a name goes out as SNI and Host, a path and query byte for byte") {
    const TestCa ca;
    const TempDir directory;
    DnsServer dns({{"www.shop.test", {.cname = "real.test"}}, {"real.test", {.a = {"127.0.0.1"}}}});
    CertificateSpec spec;
    spec.dns_names = {"*.shop.test"};
    ScriptedServer server({tls_answer({.identity = ca.issue(spec), .max_version = TLS1_2_VERSION},
                                      response("hello"))});
    const std::string authority = "www.shop.test:" + std::to_string(server.port());
    const ProbeResult result =
        check_site("https://" + authority + "/a%20b?q=%7B1%7D&q",
                   {.settings = trust(ca, directory), .dns_server = dns.address()});
    CHECK(result.failure == Failure::none);
    CHECK(labels_of(result, Family::tls_version_info) == std::vector<std::string>{"TLS 1.2"});
    const Conversation seen = server.finished()[0];
    CHECK(seen.sni == "www.shop.test");
    CHECK(seen.hosts() == std::vector{authority});
    CHECK(seen.received.starts_with("GET /a%20b?q=%7B1%7D&q HTTP/1.1\r\n"));
}

TEST_CASE("server_name replaces the url's host for SNI and for the certificate's name") {
    const TestCa ca;
    const TempDir directory;
    CertificateSpec spec;
    spec.dns_names = {"inner.test"};
    spec.addresses.clear();
    ScriptedServer server({tls_answer({.identity = ca.issue(spec)}, response("hello"))});
    const std::string settings = "tls = { server_name = \"inner.test\", ca_file = \"" +
                                 ca.write(directory).string() + "\" }";
    const ProbeResult result = check_site(server.url("/", "https"), {.settings = settings});
    CHECK(result.failure == Failure::none);
    CHECK(server.finished()[0].sni == "inner.test");
}

TEST_CASE("header fields of the settings are sent, userinfo becomes basic authentication") {
    ScriptedServer server({answer(response("hello"))});
    const ProbeResult result =
        check_site("http://ann:s%3Acret@" + server.address() + "/",
                   {.settings = "headers = { X-Env = \"blue\", accept = \"text/html\" }"});
    CHECK(result.failure == Failure::none);
    const std::string seen = server.finished()[0].received;
    CHECK(seen.find("\r\nX-Env: blue\r\n") != std::string::npos);
    CHECK(seen.find("\r\naccept: text/html\r\n") != std::string::npos);
    CHECK(seen.find("\r\nAccept: */*\r\n") == std::string::npos);
    CHECK(seen.find("\r\nAuthorization: Basic YW5uOnM6Y3JldA==\r\n") != std::string::npos);
}

TEST_CASE("a response without length ends with the connection; interim responses are passed over") {
    ScriptedServer server({answer(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end")});
    const ProbeResult result = check_site(server.url(), {.settings = "regex = \"end$\""});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_version) == 1.0);
    CHECK_FALSE(result.readings.get(M::http_content_length));
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 10);
}

TEST_CASE("a watched check tells each step, in time order") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer server(
        {tls_answer({.identity = ca.issue()}, response("hello", "Server: test\r\n"))});
    Trace trace;
    const ProbeResult result =
        check_site(server.url("/", "https"), {.settings = trust(ca, directory), .trace = &trace});
    CHECK(result.failure == Failure::none);
    REQUIRE(trace.hops.size() == 1);
    const TraceHop& hop = trace.hops[0];
    CHECK(hop.address == server.address());
    CHECK(hop.status == 200);
    CHECK(hop.protocol == "HTTP/1.1");
    REQUIRE(hop.tls);
    CHECK(hop.tls->errors.empty());
    REQUIRE(hop.tls->sent.size() == 1);
    CHECK(hop.tls->sent[0].issuer == "CN=sonde test root");
    REQUIRE(hop.spans.size() == 4);
    for (std::size_t i = 1; i < hop.spans.size(); ++i) {
        CHECK(hop.spans[i].begin >= hop.spans[i - 1].begin + hop.spans[i - 1].length);
    }
    CHECK(trace.body_bytes == 5);
}

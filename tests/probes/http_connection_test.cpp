// Every way in which an http check can fail before there is an answer to judge: names, connections,
// resets, and silence at each step. What was measured until then is kept, what comes later is
// absent.
#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

void check_no_answer(const ProbeResult& result) {
    CHECK_FALSE(result.rtt);
    CHECK_FALSE(result.readings.get(M::http_status_code));
    CHECK_FALSE(result.readings.get(M::http_version));
    CHECK_FALSE(result.readings.get(M::http_ssl));
    CHECK_FALSE(result.readings.get(M::http_content_length));
    CHECK_FALSE(result.readings.get(M::http_uncompressed_body_length));
    CHECK(labelled(result, Family::expectation_met, "status") == -1);
}

/// A connection that never stood has no path to tell of.
void check_no_path(const ProbeResult& result) {
    CHECK_FALSE(result.readings.get(M::tcp_rtt));
    CHECK_FALSE(result.readings.get(M::tcp_retransmits));
}

void check_timed_out(const ProbeResult& result) {
    CHECK(result.failure == Failure::timeout);
    CHECK(mentions(result.detail, {std::to_string(short_deadline.count()) + " ms"}));
    CHECK(result.duration >= short_deadline);
    CHECK(result.duration < std::chrono::seconds(10));
    CHECK_FALSE(result.rtt);
}

}  // namespace

TEST_CASE("a name that does not exist, a name server in trouble, a name without address") {
    DnsServer dns({{"broken.test", {.code = DnsCode::server_failure}}, {"empty.test", {}}});
    const std::vector<std::pair<std::string, std::string>> cases{
        {"gone.test", "NXDOMAIN"}, {"broken.test", "SERVFAIL"}, {"empty.test", "no address"}};
    for (const auto& [host, why] : cases) {
        CAPTURE(host);
        const ProbeResult result =
            check_site("http://" + host + "/", {.dns_server = dns.address()});
        CHECK(result.failure == Failure::resolve_failed);
        CHECK(mentions(result.detail, {host, why, "resolv"}));
        CHECK(phases_of(result) == "resolve");
        CHECK(result.readings.get(M::dns_lookup_time));
        CHECK_FALSE(result.readings.get(M::ip_protocol));
        check_no_path(result);
        check_no_answer(result);
    }
}

TEST_CASE("a name server that is silent until the deadline") {
    DnsServer dns({{"mute.test", {.silent = true}}});
    const ProbeResult result =
        check_site("http://mute.test/", {.timeout = short_deadline, .dns_server = dns.address()});
    check_timed_out(result);
    CHECK(mentions(result.detail, {"mute.test", "name server"}));
    CHECK(phases_of(result) == "");
    check_no_answer(result);
}

TEST_CASE("a late answer of the name server is waited for") {
    Latch hold;
    DnsServer dns({{"late.test", {.a = {"127.0.0.1"}, .hold = &hold}}});
    ScriptedServer server({answer(response("hello"))});
    std::thread opener([&] {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (dns.queries().empty() && std::chrono::steady_clock::now() < end) {
            std::this_thread::yield();
        }
        hold.open();
    });
    const ProbeResult result = check_site("http://late.test:" + std::to_string(server.port()) + "/",
                                          {.dns_server = dns.address()});
    opener.join();
    CHECK(result.failure == Failure::none);
    CHECK(phases_of(result) == "resolve connect processing transfer other");
}

TEST_CASE("a port that refuses") {
    const RefusedPort port;
    const ProbeResult result = check_site("http://127.0.0.1:" + std::to_string(port.port()) + "/");
    CHECK(result.failure == Failure::connect_refused);
    CHECK(mentions(result.detail,
                   {"connecting", "127.0.0.1:" + std::to_string(port.port()), "refused"}));
    CHECK(phases_of(result) == "");
    CHECK(result.readings.get(M::ip_protocol) == 4);
    check_no_path(result);
    check_no_answer(result);
}

TEST_CASE("a refusal after a name was resolved keeps the resolve phase") {
    const RefusedPort port;
    DnsServer dns({{"site.test", {.a = {"127.0.0.1"}}}});
    const ProbeResult result = check_site("http://site.test:" + std::to_string(port.port()) + "/",
                                          {.dns_server = dns.address()});
    CHECK(result.failure == Failure::connect_refused);
    CHECK(mentions(result.detail, {"site.test", "127.0.0.1"}));
    CHECK(phases_of(result) == "resolve");
}

TEST_CASE("an address to which there is no way") {
    // TCP to a multicast address: the kernel itself says that it is unreachable.
    const ProbeResult result = check_site("http://224.0.0.1/");
    CHECK(result.failure == Failure::unreachable);
    CHECK(mentions(result.detail, {"connecting", "224.0.0.1:80"}));
    CHECK(phases_of(result) == "");
    check_no_answer(result);
}

TEST_CASE("silence instead of a connection") {
    const BlackHole hole;
    const ProbeResult result = check_site("http://127.0.0.1:" + std::to_string(hole.port()) + "/",
                                          {.timeout = short_deadline});
    check_timed_out(result);
    CHECK(mentions(result.detail, {"connection", "127.0.0.1:" + std::to_string(hole.port())}));
    CHECK(phases_of(result) == "");
    CHECK(result.readings.get(M::ip_protocol) == 4);
    check_no_path(result);
    check_no_answer(result);
}

TEST_CASE("silence instead of a TLS handshake, from the start or in its middle") {
    const TestCa ca;
    const TempDir directory;
    const std::vector<TlsScript> scripts{
        {.identity = ca.issue(), .stop_after_flights = 0},
        {.identity = ca.issue(), .stop_after_bytes = 300},
        {.identity = ca.issue(), .max_version = TLS1_2_VERSION, .stop_after_flights = 1}};
    for (const TlsScript& script : scripts) {
        ScriptedServer server({{step::tls(script), step::wait_for_close()}});
        const ProbeResult result =
            check_site(server.url("/", "https"),
                       {.settings = trust(ca, directory), .timeout = short_deadline});
        check_timed_out(result);
        CHECK(mentions(result.detail, {"TLS handshake", server.address()}));
        CHECK(phases_of(result) == "connect");
        CHECK_FALSE(result.readings.get(M::tls_verified));
        CHECK(server.finished()[0].received == "");
        check_no_answer(result);
    }
}

TEST_CASE("silence instead of a response, plain and over TLS") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer server(
        {{step::read_request(), step::wait_for_close()},
         {step::tls({.identity = ca.issue()}), step::read_request(), step::wait_for_close()}});
    const ProbeResult plain = check_site(server.url(), {.timeout = short_deadline});
    check_timed_out(plain);
    CHECK(mentions(plain.detail, {"response", server.address()}));
    CHECK(phases_of(plain) == "connect");
    CHECK(plain.readings.get(M::tcp_rtt));
    check_no_answer(plain);

    const ProbeResult secure = check_site(
        server.url("/", "https"), {.settings = trust(ca, directory), .timeout = short_deadline});
    check_timed_out(secure);
    CHECK(mentions(secure.detail, {"response", server.address()}));
    CHECK(phases_of(secure) == "connect tls");
    CHECK(secure.readings.get(M::tls_verified) == 1);
    check_no_answer(secure);
}

TEST_CASE("silence in the middle of the header") {
    ScriptedServer server({{step::read_request(),
                            step::send("HTTP/1.1 200 OK\r\nContent-Le"),
                            step::wait_for_close()}});
    const ProbeResult result = check_site(server.url(), {.timeout = short_deadline});
    check_timed_out(result);
    CHECK(mentions(result.detail, {"header", server.address()}));
    CHECK(phases_of(result) == "connect processing");
    check_no_answer(result);
}

TEST_CASE("silence in the middle of the body") {
    ScriptedServer server({{step::read_request(),
                            step::send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
                            step::wait_for_close()}});
    const ProbeResult result =
        check_site(server.url(), {.settings = "regex = \"half\"", .timeout = short_deadline});
    check_timed_out(result);
    CHECK(mentions(result.detail, {"body", server.address()}));
    CHECK(phases_of(result) == "connect processing");
    // The header came whole: what it says was measured.
    CHECK(result.readings.get(M::http_status_code) == 200);
    CHECK(result.readings.get(M::http_content_length) == 10);
}

TEST_CASE("a body that never ends meets the deadline, however busy the server is") {
    ScriptedServer server({{step::read_request(),
                            step::send("HTTP/1.1 200 OK\r\n\r\n"),
                            step::send_repeated(std::string(64 * 1024, 'x'), SIZE_MAX)}});
    const ProbeResult result =
        check_site(server.url(), {.settings = "max_body = \"1024GiB\"", .timeout = short_deadline});
    check_timed_out(result);
    CHECK(mentions(result.detail, {"body", server.address()}));
}

TEST_CASE("a reset right after the connection stood is no refusal") {
    ScriptedServer server({{step::reset()}});
    for (int i = 0; i < 20; ++i) {
        const ProbeResult result = check_site(server.url());
        CHECK(result.failure == Failure::connection_reset);
        CHECK(phases_of(result) == "connect");
    }
}

TEST_CASE("a reset at each step") {
    const TestCa ca;
    const TempDir directory;
    const Step handshake = step::tls({.identity = ca.issue()});
    const Step hello_only = step::tls({.identity = ca.issue(), .stop_after_flights = 0});
    const Step half_handshake = step::tls({.identity = ca.issue(), .stop_after_bytes = 200});

    struct Case {
        std::string name;
        Script script;
        bool secure;
        const char* phases;
    };

    const std::vector<Case> cases{
        {"instead of the response", {step::read_request(), step::reset()}, false, "connect"},
        {"in the header",
         {step::read_request(), step::send_pieces({"HTTP/1.1 200 OK\r\nContent-"}), step::reset()},
         false,
         "connect"},
        {"in the body",
         {step::read_request(), step::send_pieces({"HTTP/1.1 200 OK\r\n\r\nhalf"}), step::reset()},
         false,
         "connect"},
        {"instead of the handshake", {hello_only, step::reset()}, true, "connect"},
        {"in the handshake", {half_handshake, step::reset()}, true, "connect"},
        {"after the handshake",
         {handshake, step::read_request(), step::reset()},
         true,
         "connect tls"},
    };
    for (const Case& reset : cases) {
        CAPTURE(reset.name);
        ScriptedServer server({reset.script});
        const ProbeResult result = check_site(server.url("/", reset.secure ? "https" : "http"),
                                              {.settings = trust(ca, directory)});
        CHECK(result.failure == Failure::connection_reset);
        CHECK(mentions(result.detail, {server.address(), "reset"}));
        // A reset overtakes bytes that were not read yet, so that processing may be there or not.
        CHECK(phases_of(result).starts_with(reset.phases));
        CHECK(phases_of(result).find("transfer") == std::string::npos);
        CHECK_FALSE(result.rtt);
    }
}

TEST_CASE("a server that closes without a word") {
    ScriptedServer server({{step::read_request()}});
    const ProbeResult result = check_site(server.url());
    CHECK(result.failure == Failure::connection_reset);
    CHECK(mentions(result.detail, {"response", server.address(), "closed"}));
    CHECK(phases_of(result) == "connect");
    check_no_answer(result);
}

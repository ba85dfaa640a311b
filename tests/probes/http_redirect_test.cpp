// Redirects of http checks: each hop has its own name, certificate and time; credentials stay at
// home.
#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

TEST_CASE("relative redirects are resolved against the page that sends them") {
    ScriptedServer server(
        {answer(redirect_to("../c?d", "301 Moved Permanently")),
         answer(redirect_to("?e", "303 See Other")),
         answer(redirect_to("/f#part", "307 Temporary Redirect")),
         answer(redirect_to("//" + std::string("127.0.0.1:1"), "304 Not Modified"))});
    server.play({answer(redirect_to("../c?d", "301 Moved Permanently")),
                 answer(redirect_to("?e", "303 See Other")),
                 answer(redirect_to("//" + server.address() + "/f#part", "308 Permanent Redirect")),
                 answer(response("there"))});
    const ProbeResult result = check_site(server.url("/a/b"), {.settings = "regex = \"there\""});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_redirects) == 3);
    CHECK(result.readings.get(M::http_status_code) == 200);
    CHECK(labelled(result, Family::regex_match, "there") == 1);
    const auto seen = server.finished(4);
    CHECK(seen[0].received.starts_with("GET /a/b HTTP/1.1\r\n"));
    CHECK(seen[1].received.starts_with("GET /c?d HTTP/1.1\r\n"));
    CHECK(seen[2].received.starts_with("GET /c?e HTTP/1.1\r\n"));
    CHECK(seen[3].received.starts_with("GET /f HTTP/1.1\r\n"));
}

TEST_CASE("each hop's time is in the phases, and all of them in the round-trip time") {
    ScriptedServer server({answer(redirect_to("/b")), answer(response("there"))});
    Trace trace;
    const ProbeResult result = check_site(server.url("/a"), {.trace = &trace});
    CHECK(result.failure == Failure::none);
    REQUIRE(trace.hops.size() == 2);
    Duration processing{};
    for (const TraceHop& hop : trace.hops) {
        for (const TraceSpan& span : hop.spans) {
            processing += span.phase == Phase::processing ? span.length : Duration::zero();
        }
    }
    CHECK(result.readings.get(M::http_processing) ==
          std::chrono::duration<double>(processing).count());
    CHECK(trace.hops[0].status == 302);
    CHECK(trace.hops[1].status == 200);
    REQUIRE(result.rtt);
    CHECK(*result.rtt >= trace.hops[1].spans.back().begin);
}

TEST_CASE("a redirect to another host and to https has the right Host, SNI and certificate") {
    const TestCa ca;
    const TempDir directory;
    DnsServer dns({{"old.test", {.a = {"127.0.0.1"}}}, {"new.test", {.a = {"127.0.0.1"}}}});
    CertificateSpec spec;
    spec.dns_names = {"new.test"};
    spec.addresses.clear();
    ScriptedServer secure({tls_answer({.identity = ca.issue(spec)}, response("there"))});
    const std::string target = "new.test:" + std::to_string(secure.port());
    ScriptedServer plain({answer(redirect_to("https://" + target + "/x"))});
    const std::string first = "old.test:" + std::to_string(plain.port());
    const ProbeResult result = check_site(
        "http://" + first + "/", {.settings = trust(ca, directory), .dns_server = dns.address()});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_ssl) == 1);
    CHECK(result.readings.get(M::tls_verified) == 1);
    CHECK(plain.finished()[0].hosts() == std::vector{first});
    const Conversation seen = secure.finished()[0];
    CHECK(seen.sni == "new.test");
    CHECK(seen.hosts() == std::vector{target});
    CHECK(phases_of(result) == "resolve connect tls processing transfer other");
}

TEST_CASE("between two https hosts each has its own SNI, and the facts are the last one's") {
    const TestCa ca;
    const TempDir directory;
    DnsServer dns({{"one.test", {.a = {"127.0.0.1"}}}, {"two.test", {.a = {"127.0.0.1"}}}});
    CertificateSpec one;
    one.common_name = "one";
    one.dns_names = {"one.test"};
    CertificateSpec two;
    two.common_name = "two";
    two.dns_names = {"two.test"};
    ScriptedServer last({tls_answer({.identity = ca.issue(two)}, response("there"))});
    ScriptedServer first(
        {tls_answer({.identity = ca.issue(one)},
                    redirect_to("https://two.test:" + std::to_string(last.port()) + "/"))});
    const ProbeResult result =
        check_site("https://one.test:" + std::to_string(first.port()) + "/",
                   {.settings = trust(ca, directory), .dns_server = dns.address()});
    CHECK(result.failure == Failure::none);
    CHECK(first.finished()[0].sni == "one.test");
    CHECK(last.finished()[0].sni == "two.test");
    const auto chain = labels_of(result, Family::ssl_last_chain_info);
    REQUIRE(chain.size() == 5);
    CHECK(chain[1] == "CN=two");
}

TEST_CASE("a redirect from https to http has no TLS facts of the final hop") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer plain({answer(response("there"))});
    ScriptedServer secure({tls_answer({.identity = ca.issue()}, redirect_to(plain.url()))});
    const ProbeResult result =
        check_site(secure.url("/", "https"), {.settings = trust(ca, directory)});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_ssl) == 0);
    CHECK_FALSE(result.readings.get(M::tls_verified));
    CHECK(labels_of(result, Family::ssl_last_chain_info).empty());
}

TEST_CASE("credentials do not follow a redirect to another host") {
    ScriptedServer elsewhere({answer(response("there"))});
    ScriptedServer home({answer(redirect_to("/again")), answer(redirect_to(elsewhere.url()))});
    const ProbeResult result =
        check_site("http://ann:hush@" + home.address() + "/",
                   {.settings = "headers = { Cookie = \"session=hush\", X-Plain = \"yes\" }"});
    CHECK(result.failure == Failure::none);
    const auto at_home = home.finished(2);
    for (const Conversation& seen : at_home) {
        CHECK(seen.received.find("Cookie: session=hush") != std::string::npos);
        CHECK(seen.received.find("Authorization: Basic") != std::string::npos);
    }
    const std::string away = elsewhere.finished()[0].received;
    CHECK(away.find("hush") == std::string::npos);
    CHECK(away.find("Authorization") == std::string::npos);
    CHECK(away.find("X-Plain: yes") != std::string::npos);
}

TEST_CASE("the url's credentials follow an absolute redirect to the same host") {
    ScriptedServer home({answer(response("there"))});
    home.play({answer(redirect_to(home.url("/docs/"))), answer(response("there"))});
    const ProbeResult result = check_site("http://ann:hush@" + home.address() + "/docs");
    CHECK(result.failure == Failure::none);
    for (const Conversation& seen : home.finished(2)) {
        CHECK(seen.received.find("Authorization: Basic YW5uOmh1c2g=") != std::string::npos);
    }
}

TEST_CASE("tls.server_name is for the target's own host, not for where it redirects to") {
    const TestCa ca;
    const TempDir directory;
    DnsServer dns({{"one.test", {.a = {"127.0.0.1"}}}, {"two.test", {.a = {"127.0.0.1"}}}});
    CertificateSpec front;
    front.dns_names = {"front.test"};
    CertificateSpec two;
    two.dns_names = {"two.test"};
    ScriptedServer last({tls_answer({.identity = ca.issue(two)}, response("there"))});
    ScriptedServer first(
        {tls_answer({.identity = ca.issue(front)},
                    redirect_to("https://two.test:" + std::to_string(last.port()) + "/"))});
    const ProbeResult result =
        check_site("https://one.test:" + std::to_string(first.port()) + "/",
                   {.settings = "tls = { server_name = \"front.test\", ca_file = \"" +
                                ca.write(directory).string() + "\" }",
                    .dns_server = dns.address()});
    CHECK(result.failure == Failure::none);
    CHECK(first.finished()[0].sni == "front.test");
    CHECK(last.finished()[0].sni == "two.test");
}

TEST_CASE("when the hop after a redirect fails, the redirect is not taken for the answer") {
    const RefusedPort refused;
    const std::string nowhere = "http://127.0.0.1:" + std::to_string(refused.port()) + "/";
    // Enough warm receivers in this thread's pool that the second hop gets another one.
    for (int i = 0; i < 3; ++i) {
        ScriptedServer other({answer(response("other"))});
        CHECK(check_site(other.url()).failure == Failure::none);
    }
    ScriptedServer server({answer(redirect_to(nowhere))});
    const ProbeResult result =
        check_site(server.url(), {.settings = "regex = [\"a\", \"b\"]\nstatus = 302"});
    CHECK(result.failure == Failure::connect_refused);
    CHECK_FALSE(result.readings.get(M::http_status_code));
    CHECK_FALSE(result.readings.get(M::http_ssl));
    CHECK_FALSE(result.readings.get(M::tcp_rtt));
    CHECK(result.labelled.empty());
    CHECK(phases_of(result) == "connect processing transfer");
}

TEST_CASE("ten redirects are followed and the eleventh is too many") {
    ScriptedServer server({answer(redirect_to("/loop"))});
    const ProbeResult result = check_site(server.url());
    CHECK(result.failure == Failure::too_many_redirects);
    CHECK(mentions(result.detail, {"redirects again", "to " + server.url("")}));
    CHECK(result.detail.find("/loop") == std::string::npos);
    CHECK(result.readings.get(M::http_redirects) == 11);
    CHECK(result.readings.get(M::http_status_code) == 302);
    CHECK_FALSE(result.rtt);
    CHECK(server.finished(11).size() == 11);
    CHECK(phases_of(result) == "connect processing transfer");
}

TEST_CASE("max_redirects counts, and redirects = false judges the redirect itself") {
    ScriptedServer server({answer(redirect_to("/b")), answer(response("there"))});
    CHECK(check_site(server.url(), {.settings = "max_redirects = 0"}).failure ==
          Failure::too_many_redirects);
    server.play({answer(redirect_to("/b"))});
    const ProbeResult result =
        check_site(server.url(), {.settings = "redirects = false\nstatus = 302"});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_status_code) == 302);
    CHECK(server.accepted() == 2);
}

TEST_CASE("a redirect to what is no website") {
    for (const std::string& location : {std::string("ftp://127.0.0.1/"),
                                        std::string("javascript:alert(1)"),
                                        std::string("http://[::1/")}) {
        CAPTURE(location);
        ScriptedServer server({answer(redirect_to(location))});
        const ProbeResult result = check_site(server.url("/start"));
        CHECK(result.failure == Failure::protocol_error);
        CHECK(mentions(result.detail, {"redirect from " + server.url("") + ":"}));
        CHECK(result.detail.find("start") == std::string::npos);  // paths may be secrets
        CHECK(result.readings.get(M::http_status_code) == 302);
        CHECK_FALSE(result.rtt);
    }
}

TEST_CASE("a failure after a redirect keeps what the first hop took") {
    const RefusedPort refused;
    ScriptedServer server(
        {answer(redirect_to("http://127.0.0.1:" + std::to_string(refused.port()) + "/"))});
    const ProbeResult result = check_site(server.url());
    CHECK(result.failure == Failure::connect_refused);
    CHECK(mentions(result.detail, {"127.0.0.1:" + std::to_string(refused.port())}));
    CHECK(result.readings.get(M::http_redirects) == 1);
    CHECK(phases_of(result) == "connect processing transfer");
    CHECK_FALSE(result.rtt);
}

TEST_CASE("one deadline covers all hops") {
    ScriptedServer server(
        {answer(redirect_to("/slow")), {step::read_request(), step::wait_for_close()}});
    const ProbeResult result = check_site(server.url(), {.timeout = short_deadline});
    CHECK(result.failure == Failure::timeout);
    CHECK(result.readings.get(M::http_redirects) == 1);
    CHECK(result.duration >= short_deadline);
}

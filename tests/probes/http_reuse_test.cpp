// Connections that are kept between checks, and TLS sessions that are resumed.
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

const std::string reuse = "connection = \"reuse\"\n";

/// Answers `count` requests on one connection and then closes it.
Script answers(std::size_t count, const std::string& bytes) {
    Script script;
    for (std::size_t i = 0; i < count; ++i) {
        script.push_back(step::read_request());
        script.push_back(step::send(bytes));
    }
    return script;
}

Script with_tls(const TlsScript& tls, Script script) {
    script.insert(script.begin(), step::tls(tls));
    return script;
}

std::size_t requests_in(const Conversation& conversation) {
    return conversation.hosts().size();
}

}  // namespace

TEST_CASE("a kept connection carries the next check, without the phases of opening it") {
    ScriptedServer server({answers(3, response("hello"))});
    const auto results = check_site_repeatedly(server.url(), 3, {.settings = reuse});
    CHECK(phases_of(results[0]) == "connect processing transfer other");
    for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);
        CHECK(mentions(results[i].detail, {""}));
        CHECK(results[i].success());
        CHECK(results[i].readings.get(M::http_connection_reused) == (i == 0 ? 0 : 1));
        CHECK(results[i].dead_connections == 0);
        CHECK(results[i].readings.get(M::ip_protocol) == 4);
    }
    CHECK(phases_of(results[2]) == "processing transfer other");
    CHECK(server.accepted() == 1);
    const Conversation conversation = server.finished()[0];
    CHECK(requests_in(conversation) == 3);
    CHECK(conversation.received.find("Connection:") == std::string::npos);
}

TEST_CASE("without being asked, every check has its connection and asks to close it") {
    ScriptedServer server({answer(response("hello"))});
    const auto results = check_site_repeatedly(server.url(), 2);
    CHECK(results[1].success());
    CHECK_FALSE(results[1].readings.get(M::http_connection_reused).has_value());
    CHECK(server.accepted() == 2);
    CHECK(server.finished(2)[1].received.find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("a connection that the server has closed meanwhile is no failure, and is counted") {
    ScriptedServer server({answers(1, response("one")), answers(1, response("two"))});
    std::size_t finished = 0;
    const auto results =
        check_site_repeatedly(server.url(), 2, {.settings = reuse}, [&server, &finished] {
            static_cast<void>(server.finished(++finished));
        });
    CHECK(results[1].success());
    CHECK(results[1].dead_connections == 1);
    CHECK(results[1].readings.get(M::http_connection_reused) == 0);
    CHECK(phases_of(results[1]) == "connect processing transfer other");
    CHECK(requests_in(server.finished(2)[0]) == 1);
}

TEST_CASE("a request that was lost on a dying connection is sent again once, and is counted") {
    for (const Step& end : {step::close(), step::reset()}) {
        Script dying = answers(1, response("one"));
        dying.push_back(step::read_request());
        dying.push_back(end);
        ScriptedServer server({dying, answers(1, response("two"))});
        const auto results = check_site_repeatedly(server.url(), 2, {.settings = reuse});
        CHECK(results[1].success());
        CHECK(results[1].dead_connections == 1);
        CHECK(results[1].readings.get(M::http_connection_reused) == 0);
        CHECK(requests_in(server.finished(2)[1]) == 1);
    }
}

TEST_CASE("a fresh connection that ends without an answer is the target's failure") {
    ScriptedServer server({{step::read_request(), step::close()}});
    const auto results = check_site_repeatedly(server.url(), 2, {.settings = reuse});
    for (const ProbeResult& result : results) {
        CHECK(result.failure == Failure::connection_reset);
        CHECK(result.dead_connections == 0);
    }
    CHECK(server.accepted() == 2);
}

TEST_CASE("an answer that breaks off on a kept connection is the target's failure") {
    Script breaking = answers(1, response("one"));
    breaking.push_back(step::read_request());
    breaking.push_back(step::send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive"));
    ScriptedServer server({breaking});
    const auto results = check_site_repeatedly(server.url(), 2, {.settings = reuse});
    CHECK(results[1].failure == Failure::protocol_error);
    CHECK(results[1].dead_connections == 0);
    CHECK(results[1].readings.get(M::http_connection_reused) == 1);
    CHECK(server.accepted() == 1);
}

TEST_CASE("a request that may not be repeated has a connection of its own") {
    ScriptedServer server({{step::read_request(), step::read_body(1), step::send(response("ok"))}});
    const auto results = check_site_repeatedly(
        server.url(), 2, {.settings = reuse + "method = \"POST\"\nbody = \"x\"\n"});
    CHECK(results[1].success());
    CHECK(server.accepted() == 2);
    CHECK(server.finished(2)[0].received.find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("a connection is not kept where the response does not leave it fit") {
    const std::vector<std::string> unfit{
        response("x", "Connection: close\r\n"),
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        response("x") + "HTTP/1.1 200 OK\r\n",  // what would be taken for the next answer
    };
    for (const std::string& bytes : unfit) {
        CAPTURE(bytes);
        ScriptedServer server({{step::read_request(), step::send(bytes), step::wait_for_close()}});
        const auto results = check_site_repeatedly(server.url(), 2, {.settings = reuse});
        CHECK(results[1].success());
        CHECK(results[1].dead_connections == 0);
        CHECK(server.accepted() == 2);
    }
}

TEST_CASE("a redirect on the same host stays on its connection") {
    ScriptedServer server({{step::read_request(),
                            step::send(response("moved", "Location: /there\r\n", "302 Found")),
                            step::read_request(),
                            step::send(response("here"))}});
    const auto results = check_site_repeatedly(server.url(), 1, {.settings = reuse});
    CHECK(results[0].success());
    CHECK(results[0].readings.get(M::http_redirects) == 1);
    CHECK(results[0].readings.get(M::http_connection_reused) == 1);
    CHECK(server.accepted() == 1);
}

TEST_CASE("a limit on connections makes checks wait for one another") {
    ScriptedServer server({answers(4, response("hello"))});
    const auto results =
        check_site_at_once(server.url(), 4, {.settings = reuse + "max_connections_per_host = 1\n"});
    for (const ProbeResult& result : results) {
        CHECK(result.success());
    }
    CHECK(server.accepted() == 1);
}

TEST_CASE("a check that waits for a connection ends at its deadline") {
    const Latch never;
    ScriptedServer server({{step::read_request(), step::pause(never)}});
    const auto results = check_site_at_once(server.url(),
                                            2,
                                            {.settings = reuse + "max_connections_per_host = 1\n",
                                             .timeout = 2 * short_deadline,
                                             .shorter_each = short_deadline});
    CHECK(results[0].failure == Failure::timeout);
    CHECK(results[1].failure == Failure::timeout);
    CHECK(mentions(results[0].detail, {"waiting for the response"}));
    CHECK(mentions(results[1].detail, {"one of the connections"}));
    CHECK_FALSE(results[0].exhausted);
    CHECK(results[1].exhausted);  // no word on the target
}

TEST_CASE("a kept TLS connection keeps the facts of its certificate") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer server({with_tls({.identity = ca.issue()}, answers(2, response("hello")))});
    const auto results = check_site_repeatedly(
        server.url("/", "https"), 2, {.settings = reuse + trust(ca, directory)});
    CHECK(phases_of(results[0]) == "connect tls processing transfer other");
    CHECK(phases_of(results[1]) == "processing transfer other");
    CHECK(results[1].readings.get(M::tls_verified) == 1);
    CHECK(results[1].readings.get(M::ssl_earliest_cert_expiry) ==
          results[0].readings.get(M::ssl_earliest_cert_expiry));
    CHECK(server.accepted() == 1);
}

TEST_CASE("a resumed TLS session keeps what its certificates were") {
    const TestCa ca;
    const TempDir directory;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        ScriptedServer server({with_tls({.identity = ca.issue(), .max_version = version},
                                        answers(1, response("hello")))});
        const std::string trusted = "tls.ca_file = \"" + ca.write(directory).string() + "\"\n";
        const auto results = check_site_repeatedly(
            server.url("/", "https"), 3, {.settings = trusted + "tls.resume = true\n"});
        for (std::size_t i = 0; i < results.size(); ++i) {
            CAPTURE(i);
            CHECK(results[i].success());
            CHECK(results[i].readings.get(M::tls_resumed) == (i == 0 ? 0 : 1));
            CHECK(results[i].readings.get(M::tls_verified) == 1);
            CHECK(results[i].readings.get(M::ssl_last_chain_expiry) ==
                  results[0].readings.get(M::ssl_last_chain_expiry));
            CHECK(labels_of(results[i], Family::ssl_last_chain_info) ==
                  labels_of(results[0], Family::ssl_last_chain_info));
        }
        CHECK(results[0].readings.get(M::ssl_last_chain_expiry).has_value());
        CHECK(server.accepted() == 3);
    }
}

TEST_CASE("a session whose certificate was not good is never resumed") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer server({with_tls({.identity = ca.issue(CertificateSpec::expired())},
                                    answers(1, response("hello")))});
    const auto results =
        check_site_repeatedly(server.url("/", "https"),
                              2,
                              {.settings = "tls = { ca_file = \"" + ca.write(directory).string() +
                                           "\", resume = true, insecure_skip_verify = true }\n"});
    CHECK(results[1].success());
    CHECK(results[1].readings.get(M::tls_resumed) == 0);
    CHECK(results[1].readings.get(M::tls_verified) == 0);
}

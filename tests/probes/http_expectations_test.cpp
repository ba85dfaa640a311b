// What an http check expects of an answer: each verdict by its name, and why the check fails.
#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

/// 1 met, 0 not met, -1 not judged.
double verdict(const ProbeResult& result, std::string_view name) {
    return labelled(result, Family::expectation_met, name);
}

const std::string header_fields =
    "Content-Type: text/html; charset=utf-8\r\n"
    "Set-Cookie: a=1\r\n"
    "set-cookie: b=2\r\n"
    "X-Empty:\r\n";

ProbeResult check_answer(const std::string& settings, const std::string& bytes) {
    ScriptedServer server({answer(bytes)});
    return check_site(server.url(), {.settings = settings});
}

}  // namespace

TEST_CASE("header fields: there or not, with a value that matches or without") {
    struct Case {
        std::string expectation;
        std::string name;
        bool met;
    };

    const std::vector<Case> cases{
        {R"("Content-Type")", "Content-Type", true},
        {R"("content-type")", "content-type", true},
        {R"("Strict-Transport-Security")", "Strict-Transport-Security", false},
        {R"("X-Empty")", "X-Empty", true},
        {R"({ header = "Content-Type", pattern = "^text/html" })", "Content-Type", true},
        {R"({ header = "Content-Type", pattern = "json" })", "Content-Type", false},
        {R"({ header = "X-Powered-By", expect = "absent" })", "X-Powered-By", true},
        {R"({ header = "Content-Type", expect = "absent" })", "Content-Type", false},
        {R"({ header = "Content-Type", pattern = "json", expect = "absent" })",
         "Content-Type",
         true},
        {R"({ header = "Set-Cookie", pattern = "^b=", name = "second" })", "second", true},
        {R"({ header = "Set-Cookie", pattern = "^b=", expect = "absent" })", "Set-Cookie", false},
        {R"({ header = "X-Empty", pattern = "." })", "X-Empty", false},
    };
    for (const Case& each : cases) {
        CAPTURE(each.expectation);
        const ProbeResult result = check_answer("expect_headers = [" + each.expectation + "]",
                                                response("x", header_fields));
        CHECK(verdict(result, each.name) == (each.met ? 1 : 0));
        CHECK(result.failure == (each.met ? Failure::none : Failure::unexpected_header));
        CHECK(result.detail.empty() == each.met);
    }
}

TEST_CASE("all expectations are judged, and the first that is not met is the reason") {
    Trace trace;
    ScriptedServer server({answer(response("hello", header_fields, "404 Not Found"))});
    const ProbeResult result = check_site(server.url(),
                                          {.settings = R"(
expect_headers = ["X-Missing", "Content-Type"]
regex = ["hello", "bye"]
http_versions = ["1.0"]
min_body = 6
max_rtt = "1us"
max_phase = { connect = "1h", processing = "1ns" }
final_url = "^https"
)",
                                           .trace = &trace});
    CHECK(result.failure == Failure::unexpected_status);
    CHECK(result.detail == "status 404, expected status 2xx");
    CHECK(verdict(result, "status") == 0);
    CHECK(verdict(result, "X-Missing") == 0);
    CHECK(verdict(result, "Content-Type") == 1);
    CHECK(verdict(result, "hello") == 1);
    CHECK(verdict(result, "bye") == 0);
    CHECK(verdict(result, "http_version") == 0);
    CHECK(verdict(result, "min_body") == 0);
    CHECK(verdict(result, "max_rtt") == 0);
    CHECK(verdict(result, "max_connect") == 1);
    CHECK(verdict(result, "max_processing") == 0);
    CHECK(verdict(result, "max_tls") == -1);
    CHECK(verdict(result, "final_url") == 0);
    CHECK(trace.expectations.size() == 11);
}

TEST_CASE("each has its reason and its words") {
    struct Case {
        std::string settings;
        Failure failure;
        std::string detail;
    };

    const std::vector<Case> cases{
        {R"(http_versions = "1.0")", Failure::unexpected_protocol, "HTTP 1.1, expected HTTP 1.0"},
        {R"(min_body = "1KiB")",
         Failure::unexpected_content,
         "a body of 5 bytes, expected a body of at least 1KiB"},
        {R"(expect_headers = "X-A")",
         Failure::unexpected_header,
         "header X-A absent, expected header X-A"},
        {R"(final_url = "/login$")",
         Failure::unexpected_answer,
         "expected final url matching \"/login$\""},
        {R"(max_rtt = "1us")", Failure::too_slow, "expected a round-trip time of at most 1us"},
        {R"(max_phase = { processing = "1us" })",
         Failure::too_slow,
         "expected a wait for the first byte of at most 1us"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.settings);
        const ProbeResult result = check_answer(each.settings, response("hello"));
        CHECK(result.failure == each.failure);
        CHECK(mentions(result.detail, {each.detail}));
        CHECK(result.rtt);  // a whole answer, however bad
    }
}

TEST_CASE("content codings are asked for and expected") {
    ScriptedServer server({answer(response(gzip("hello"), "Content-Encoding: gzip\r\n"))});
    const std::string url = server.url();
    const ProbeResult good =
        check_site(url, {.settings = "content_encodings = [\"gzip\", \"br\"]\nregex = \"hello\""});
    CHECK(good.failure == Failure::none);
    CHECK(verdict(good, "content_encoding") == 1);
    CHECK(server.finished()[0].received.find("\r\nAccept-Encoding: gzip, br\r\n") !=
          std::string::npos);
    const ProbeResult bad = check_site(url, {.settings = "content_encodings = \"identity\""});
    CHECK(bad.failure == Failure::unexpected_content);
    CHECK(bad.detail == "content coding gzip, expected content coding identity");
}

TEST_CASE("what is fine is met") {
    const ProbeResult result = check_answer(R"(
http_versions = ["1.0", "1.1"]
min_body = 5
max_rtt = "1h"
max_phase = { connect = "1h", processing = "1h", transfer = "1h" }
final_url = "^http://127"
)",
                                            response("hello"));
    CHECK(result.failure == Failure::none);
    for (const std::string name : {"http_version",
                                   "min_body",
                                   "max_rtt",
                                   "max_connect",
                                   "max_processing",
                                   "max_transfer",
                                   "final_url"}) {
        CAPTURE(name);
        CHECK(verdict(result, name) == 1);
    }
}

TEST_CASE("fields and url are those of the final response") {
    ScriptedServer server({answer("HTTP/1.1 302 Found\r\nLocation: /home\r\nX-First: 1\r\n\r\n"),
                           answer(response("x", "X-Second: 2\r\n"))});
    const ProbeResult result = check_site(
        server.url(),
        {.settings = "expect_headers = ['X-Second', {header = 'X-First', expect = 'absent'}]\n"
                     "final_url = '/home$'"});
    CHECK(result.failure == Failure::none);
    CHECK(verdict(result, "X-First") == 1);
    CHECK(verdict(result, "final_url") == 1);
}

TEST_CASE("until_decided reads on to the smallest body that is good") {
    ScriptedServer server({answer(response(std::string(1000, 'x')))});
    const ProbeResult result = check_site(
        server.url(), {.settings = "read = \"until_decided\"\nregex = \"x\"\nmin_body = 1000"});
    CHECK(result.failure == Failure::none);
    CHECK(verdict(result, "min_body") == 1);
}

TEST_CASE("what did not come to be is not judged, what did is") {
    ScriptedServer server({{step::read_request(), step::reset()}});
    const ProbeResult result = check_site(
        server.url(),
        {.settings = "max_rtt = '1us'\nmax_phase = { connect = '1ns' }\nexpect_headers = 'X-A'"});
    CHECK(result.failure == Failure::connection_reset);
    CHECK(verdict(result, "max_rtt") == -1);
    CHECK(verdict(result, "X-A") == -1);
    CHECK(verdict(result, "status") == -1);
    CHECK(verdict(result, "max_connect") == 0);
}

TEST_CASE("TLS version, cipher, and how long the certificate is valid") {
    struct Case {
        std::string tls;
        std::string settings;
        std::string name;
        Failure failure;
        std::string detail;
    };

    const std::vector<Case> cases{
        {", expect_versions = ['1.3']", "", "tls_version", Failure::none, ""},
        {", expect_versions = ['1.2']",
         "",
         "tls_version",
         Failure::unexpected_protocol,
         "TLS 1.3, expected TLS 1.2"},
        {", expect_ciphers = ['TLS_AES_256_GCM_SHA384']", "", "tls_cipher", Failure::none, ""},
        {", expect_ciphers = ['ECDHE-RSA-AES128-SHA']",
         "",
         "tls_cipher",
         Failure::unexpected_protocol,
         "cipher TLS_AES_256_GCM_SHA384, expected cipher ECDHE-RSA-AES128-SHA"},
        {"", "min_cert_validity = '1h'", "min_cert_validity", Failure::none, ""},
        {"",
         "min_cert_validity = '3649d'",
         "min_cert_validity",
         Failure::certificate_expires_soon,
         "expected one that is valid for at least 3649d"},
    };
    const TestCa ca;
    const TempDir directory;
    const std::string ca_file = directory.write("ca.pem", ca.pem());
    for (const Case& each : cases) {
        CAPTURE(each.name);
        ScriptedServer server({tls_answer({.identity = ca.issue({})}, response("hello"))});
        const ProbeResult result = check_site(server.url("/", "https"),
                                              {.settings = "tls = { ca_file = \"" + ca_file + "\"" +
                                                           each.tls + " }\n" + each.settings});
        CHECK(result.failure == each.failure);
        CHECK(verdict(result, each.name) == (each.failure == Failure::none ? 1 : 0));
        CHECK(mentions(result.detail, {each.detail}));
    }
}

TEST_CASE("what is expected of TLS is not met by a response without it") {
    const ProbeResult result = check_answer(
        "tls = { expect_versions = ['1.3'] }\nmin_cert_validity = '1d'", response("hello"));
    CHECK(result.failure == Failure::unexpected_protocol);
    CHECK(result.detail == "no TLS, expected TLS 1.3");
    CHECK(verdict(result, "tls_version") == 0);
    CHECK(verdict(result, "min_cert_validity") == 0);
}

TEST_CASE("a detail tells nothing of a url's path, which may be a secret") {
    ScriptedServer server({answer(response("hello"))});
    const ProbeResult result =
        check_site(server.url("/hook/t0ken"), {.settings = "final_url = '/ok$'"});
    CHECK(result.failure == Failure::unexpected_answer);
    CHECK(result.detail.find("t0ken") == std::string::npos);
}

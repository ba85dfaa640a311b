// Bodies of http checks: codings, chunks, patterns across every border, limits, and early stops.
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

const std::string two_patterns =
    "regex = [\"Welcome home\", { name = \"no_error\", pattern = \"(?i)exception\", expect = "
    "\"absent\" }]\n";

void check_both_met(const ProbeResult& result) {
    CHECK(result.failure == Failure::none);
    CHECK(labelled(result, Family::regex_match, "Welcome home") == 1);
    CHECK(labelled(result, Family::expectation_met, "Welcome home") == 1);
    CHECK(labelled(result, Family::regex_match, "no_error") == 0);
    CHECK(labelled(result, Family::expectation_met, "no_error") == 1);
    CHECK(result.readings.get(M::failed_due_to_regex) == 0);
}

}  // namespace

TEST_CASE("a pattern is found across chunks, of whatever size they are") {
    ScriptedServer server({answer(chunked_response({"We", "l", "come", " ho", "me", " again"}))});
    const ProbeResult result = check_site(server.url(), {.settings = two_patterns});
    check_both_met(result);
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 18);
    CHECK_FALSE(result.readings.get(M::http_content_length));
}

TEST_CASE("a pattern is found in a gzip body that arrives in pieces") {
    const std::string body = gzip("<p>Welcome home</p>");
    const std::string whole = response(body, "Content-Encoding: gzip\r\n");
    const std::size_t middle = whole.size() - body.size() / 2;
    ScriptedServer server({{step::read_request(),
                            step::send_pieces({whole.substr(0, middle), whole.substr(middle)})}});
    const ProbeResult result = check_site(server.url(), {.settings = two_patterns});
    check_both_met(result);
    CHECK(result.readings.get(M::http_content_length) == static_cast<double>(body.size()));
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 19);
}

TEST_CASE("a gzip body in chunks over TLS, one byte each") {
    const TestCa ca;
    const TempDir directory;
    std::vector<std::string> chunks;
    for (const char c : gzip("Welcome home")) {
        chunks.emplace_back(1, c);
    }
    ScriptedServer server({tls_answer({.identity = ca.issue()},
                                      chunked_response(chunks, "Content-Encoding: gzip\r\n"))});
    const ProbeResult result =
        check_site(server.url("/", "https"), {.settings = two_patterns + trust(ca, directory)});
    check_both_met(result);
}

TEST_CASE("a pattern that is not there, and one that must not be") {
    ScriptedServer server({answer(response("java.lang.Exception"))});
    const ProbeResult result = check_site(server.url(), {.settings = two_patterns});
    CHECK(result.failure == Failure::unexpected_content);
    CHECK(mentions(result.detail, {"Welcome home", "not found", "19 bytes"}));
    CHECK(labelled(result, Family::regex_match, "Welcome home") == 0);
    CHECK(labelled(result, Family::regex_match, "no_error") == 1);
    CHECK(labelled(result, Family::expectation_met, "no_error") == 0);
    CHECK(result.readings.get(M::failed_due_to_regex) == 1);
    CHECK(result.rtt);  // a whole answer, whatever it says
    CHECK(phases_of(result) == "connect processing transfer other");
}

TEST_CASE("a bad status is judged before the patterns, which are told all the same") {
    ScriptedServer server({answer(response("oops", "", "503 Service Unavailable"))});
    const ProbeResult result = check_site(server.url(), {.settings = two_patterns});
    CHECK(result.failure == Failure::unexpected_status);
    CHECK(mentions(result.detail, {"503", "2xx"}));
    CHECK(result.readings.get(M::http_status_code) == 503);
    CHECK(labelled(result, Family::expectation_met, "status") == 0);
    CHECK(labelled(result, Family::regex_match, "Welcome home") == 0);
    CHECK(result.rtt);
}

TEST_CASE("the statuses that the settings name are good") {
    ScriptedServer server({answer(response("", "", "401 Unauthorized")),
                           answer(response("", "", "502 Bad Gateway"))});
    const CheckOptions options{.settings = "status = [\"2xx\", 401, \"500-501\"]"};
    CHECK(check_site(server.url(), options).failure == Failure::none);
    const ProbeResult bad = check_site(server.url(), options);
    CHECK(bad.failure == Failure::unexpected_status);
    CHECK(mentions(bad.detail, {"502", "401", "500-501"}));
}

TEST_CASE("read = until_decided without patterns is decided by the header") {
    ScriptedServer server(
        {{step::read_request(),
          step::send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"),
          step::wait_for_close()}});
    const ProbeResult result = check_site(server.url(), {.settings = "read = \"until_decided\""});
    CHECK(result.failure == Failure::none);
    CHECK(result.rtt);
}

TEST_CASE("the round-trip time of a body that the close ends is up to its last byte") {
    const Latch never;
    constexpr std::chrono::milliseconds lingering{200};
    ScriptedServer server(
        {{step::read_request(), step::send("HTTP/1.0 200 OK\r\n\r\nbody"), [&](Peer&) {
              static_cast<void>(never.wait(lingering));
              return true;
          }}});
    const ProbeResult result = check_site(server.url());
    CHECK(result.failure == Failure::none);
    REQUIRE(result.rtt);
    CHECK(result.duration >= lingering);
    CHECK(*result.rtt <= result.duration - lingering / 2);
}

TEST_CASE("read = until_decided stops at the deciding byte of a body without end") {
    // The server never ends its body: only an early stop ends the check well.
    ScriptedServer server({{step::read_request(),
                            step::send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                       "7\r\nWelcome\r\n"),
                            step::wait_for_close()}});
    const ProbeResult result =
        check_site(server.url(), {.settings = "regex = \"Welcome\"\nread = \"until_decided\""});
    CHECK(result.failure == Failure::none);
    CHECK(labelled(result, Family::regex_match, "Welcome") == 1);
    CHECK(result.rtt);
}

TEST_CASE("a large body streams by, and a pattern at its very end is found") {
    const std::string block(64 * 1024, 'x');
    ScriptedServer server({{step::read_request(),
                            step::send("HTTP/1.1 200 OK\r\n\r\n"),
                            step::send_repeated(block, 512),
                            step::send("Welcome home")}});
    const ProbeResult result = check_site(server.url(), {.settings = two_patterns});
    check_both_met(result);
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 512.0 * 64 * 1024 + 12);
}

TEST_CASE("a body over max_body, as it was sent or once it is decoded") {
    const std::string bomb = gzip(std::string(1 << 20, 'x'));
    ScriptedServer server({answer(response(std::string(1001, 'x'))),
                           answer(response(bomb, "Content-Encoding: gzip\r\n")),
                           answer(response(std::string(1000, 'x')))});
    for (int i = 0; i < 2; ++i) {
        const ProbeResult result = check_site(server.url(), {.settings = "max_body = 1000"});
        CHECK(result.failure == Failure::body_too_large);
        CHECK(mentions(result.detail, {server.address(), "1000"}));
        CHECK(result.readings.get(M::http_status_code) == 200);
        CHECK_FALSE(result.rtt);
        CHECK(phases_of(result) == "connect processing");
    }
    CHECK(check_site(server.url(), {.settings = "max_body = 1000"}).failure == Failure::none);
}

TEST_CASE("gzip that is cut off, corrupt, or something else") {
    const std::string good = gzip("Welcome home, Welcome home, Welcome home");
    std::string corrupt = good;
    corrupt[corrupt.size() - 6] = static_cast<char>(~corrupt[corrupt.size() - 6]);  // in the CRC
    const std::vector<std::string> bodies{
        good.substr(0, good.size() - 9), corrupt, "not gzip at all", good + "tail"};
    for (const std::string& body : bodies) {
        CAPTURE(body.size());
        ScriptedServer server({answer(response(body, "Content-Encoding: gzip\r\n"))});
        const ProbeResult result = check_site(server.url(), {.settings = two_patterns});
        CHECK(result.failure == Failure::decode_error);
        CHECK(mentions(result.detail, {server.address(), "compressed body"}));
        CHECK(result.readings.get(M::http_status_code) == 200);
        CHECK_FALSE(result.rtt);
        CHECK_FALSE(result.readings.get(M::failed_due_to_regex));
        // Nothing is said of what was not seen to its end.
        CHECK(labelled(result, Family::regex_match, "no_error") == -1);
    }
}

TEST_CASE("a coding that nobody asked for") {
    ScriptedServer server({answer(response("xxxx", "Content-Encoding: br\r\n"))});
    const ProbeResult result = check_site(server.url());
    CHECK(result.failure == Failure::decode_error);
    CHECK(mentions(result.detail, {server.address(), "br"}));
}

TEST_CASE("a small answer that becomes very much is decoded in turns, to the limit or the end") {
    const std::string bomb = gzip(std::string(8 << 20, 'x'));
    ScriptedServer server({answer(response(bomb, "Content-Encoding: gzip\r\n"))});
    const ProbeResult whole = check_site(server.url(), {.settings = "regex = \"x$\""});
    CHECK(whole.failure == Failure::none);
    CHECK(whole.readings.get(M::http_uncompressed_body_length) == 8 << 20);
    const ProbeResult limited = check_site(server.url(), {.settings = "max_body = \"1MiB\""});
    CHECK(limited.failure == Failure::body_too_large);
}

// OAuth 2.0 client credentials: the token is asked for outside of the measured time, kept, and its
// failure is a reason of its own.
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;

namespace {

/// Each test has a secret of its own, so that none meets another's token.
std::string oauth(const ScriptedServer& issuer,
                  const std::string& secret,
                  const std::string& more = "") {
    return "oauth2 = { client_id = \"sonde\", client_secret = \"" + secret + "\", token_url = \"" +
           issuer.url("/token") + "\"" + more + " }\n";
}

std::string token(const std::string& text, int seconds) {
    return response("{\"access_token\": \"" + text + "\", \"token_type\": \"Bearer\", " +
                        "\"expires_in\": " + std::to_string(seconds) + "}",
                    "Content-Type: application/json\r\n");
}

Script issue(const std::string& bytes) {
    return {step::read_request(), step::send(bytes)};
}

}  // namespace

TEST_CASE("a token is asked for once and sent with every check") {
    ScriptedServer issuer({issue(token("abc", 3600))});
    ScriptedServer server({answer(response("hello"))});
    const auto results = check_site_repeatedly(
        server.url(),
        3,
        {.settings =
             oauth(issuer,
                   "kept",
                   ", scopes = [\"read\", \"write\"], endpoint_params = { audience = \"x\" }")});
    for (const ProbeResult& result : results) {
        CHECK(result.success());
    }
    CHECK(issuer.accepted() == 1);
    const Conversation asked = issuer.finished()[0];
    CHECK(asked.received.starts_with("POST /token HTTP/1.1\r\n"));
    CHECK(asked.received.find("\r\nAuthorization: Basic c29uZGU6a2VwdA==\r\n") !=
          std::string::npos);
    CHECK(asked.received.find("grant_type=client_credentials&scope=read+write&audience=x") !=
          std::string::npos);
    for (const Conversation& seen : server.finished(3)) {
        CHECK(seen.received.find("\r\nAuthorization: Bearer abc\r\n") != std::string::npos);
    }
}

TEST_CASE("a token that has ended, or that the server refuses, is asked for anew") {
    ScriptedServer issuer(
        {issue(token("first", 0)), issue(token("second", 3600)), issue(token("third", 3600))});
    ScriptedServer server({answer(response("hello")),
                           answer(response("no", "", "401 Unauthorized")),
                           answer(response("hello"))});
    const auto results =
        check_site_repeatedly(server.url(), 3, {.settings = oauth(issuer, "renewed")});
    CHECK(results[0].success());
    CHECK(results[1].failure == Failure::unexpected_status);
    CHECK(results[2].success());
    const auto seen = server.finished(3);
    CHECK(seen[0].received.find("Bearer first\r\n") != std::string::npos);
    CHECK(seen[1].received.find("Bearer second\r\n") != std::string::npos);
    CHECK(seen[2].received.find("Bearer third\r\n") != std::string::npos);
}

TEST_CASE("the time of the token is no part of what is measured") {
    ScriptedServer server({answer(response("hello"))});
    Latch asked;
    ScriptedServer issuer({{step::read_request(), step::send(token("abc", 3600))}});
    const ProbeResult result = check_site(server.url(), {.settings = oauth(issuer, "apart")});
    CHECK(result.success());
    REQUIRE(result.rtt.has_value());
    const auto whole = result.readings.get(Measurement::http_connect).value_or(0) +
                       result.readings.get(Measurement::http_processing).value_or(0) +
                       result.readings.get(Measurement::http_transfer).value_or(0) +
                       result.readings.get(Measurement::http_other).value_or(0);
    CHECK(std::chrono::duration<double>(*result.rtt).count() == doctest::Approx(whole));
    CHECK(phases_of(result) == "connect processing transfer other");
}

TEST_CASE("no token: the check fails for that and asks nothing of the target") {
    struct Case {
        std::string name;
        Script script;
        std::string why;
    };

    const std::vector<Case> cases{
        {"refused",
         issue(response("{\"error\": \"invalid_client\", \"error_description\": \"no such\"}",
                        "",
                        "401 Unauthorized")),
         "invalid_client"},
        {"nojson", issue(response("<html>")), "JSON"},
        {"closed", {step::read_request(), step::close()}, "closed the connection"},
        {"redirect", issue(redirect_to("http://127.0.0.1:1/")), "302"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        ScriptedServer issuer({each.script});
        ScriptedServer server({answer(response("hello"))});
        const ProbeResult result =
            check_site(server.url(), {.settings = oauth(issuer, "hush" + each.name)});
        CHECK(result.failure == Failure::oauth_failed);
        CHECK(mentions(result.detail, {issuer.url("").substr(0, 20), each.why}));
        CHECK(result.detail.find("hush") == std::string::npos);
        CHECK_FALSE(result.rtt.has_value());
        CHECK(server.accepted() == 0);
    }
}

TEST_CASE("an issuer that says nothing ends at the check's deadline, as the token's failure") {
    const Latch never;
    ScriptedServer issuer({{step::read_request(), step::pause(never)}});
    const ProbeResult result = check_site(
        "http://127.0.0.1:9/", {.settings = oauth(issuer, "silent"), .timeout = short_deadline});
    CHECK(result.failure == Failure::oauth_failed);
    CHECK(mentions(result.detail, {"deadline", "token"}));
}

TEST_CASE("another host, to which a redirect leads, does not see the token") {
    ScriptedServer issuer({issue(token("abc", 3600))});
    ScriptedServer elsewhere({answer(response("there"))});
    ScriptedServer server(
        {answer(redirect_to("http://localhost:" + std::to_string(elsewhere.port()) + "/"))});
    CHECK(check_site(server.url(), {.settings = oauth(issuer, "elsewhere")}).success());
    CHECK(elsewhere.finished()[0].received.find("Authorization") == std::string::npos);
}

// OAuth 2.0 client credentials: the request's body, and answers good, bad and indiscreet.
#include "probes/wire/oauth_token.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wire = sonde::probes::wire;

using namespace std::string_literals;

namespace {

constexpr std::string_view secret = "hush&hush";

std::string good(std::string_view more) {
    return R"({"access_token": "abc.DEF-1_2~3+/==", "token_type": "Bearer")" + std::string{more} +
           "}";
}

std::string error_of(unsigned status, std::string_view body) {
    std::string error;
    CHECK_FALSE(wire::read_oauth_answer(status, body, secret, error));
    CHECK(error.find("hush") == std::string::npos);
    return error;
}

}  // namespace

TEST_CASE("oauth: form encoding") {
    CHECK(wire::form_encode("aZ09*-._") == "aZ09*-._");
    CHECK(wire::form_encode("a b+c&d=e%~/:") == "a+b%2Bc%26d%3De%25%7E%2F%3A");
    CHECK(wire::form_encode("\xc3\xa4\0\n"s) == "%C3%A4%00%0A");
}

TEST_CASE("oauth: request bodies") {
    wire::OAuthRequest request{.client_id = "id:1", .client_secret = "s&t"};
    CHECK(wire::oauth_request_body(request) == "grant_type=client_credentials");
    const std::vector<std::string> scopes{"read", "https://x.example/.default"};
    const std::vector<std::pair<std::string, std::string>> parameters{{"audience", "a b"},
                                                                      {"re&source", ""}};
    request.scopes = scopes;
    request.parameters = parameters;
    CHECK(wire::oauth_request_body(request) ==
          "grant_type=client_credentials&scope=read+https%3A%2F%2Fx.example%2F.default"
          "&audience=a+b&re%26source=");
    request.scopes = {};
    request.secret_in_body = true;
    CHECK(wire::oauth_request_body(request) ==
          "grant_type=client_credentials&client_id=id%3A1&client_secret=s%26t"
          "&audience=a+b&re%26source=");
}

TEST_CASE("oauth: additional parameters") {
    CHECK(wire::check_oauth_parameter("audience").empty());
    CHECK(wire::check_oauth_parameter("Scope").empty());
    CHECK(wire::check_oauth_parameter("") == "a parameter has no name");
    for (const auto* const name : {"grant_type", "scope", "client_id", "client_secret"}) {
        CHECK(wire::check_oauth_parameter(name) ==
              '"' + std::string{name} + "\" is sent by itself, it is no additional parameter");
    }
}

TEST_CASE("oauth: tokens") {
    struct Row {
        std::string_view more;
        std::optional<long long> seconds;
    };

    for (const auto& row : {Row{"", std::nullopt},
                            Row{R"(, "expires_in": null)", std::nullopt},
                            Row{R"(, "expires_in": 3600)", 3600},
                            Row{R"(, "expires_in": "3600")", 3600},
                            Row{R"(, "expires_in": 3599.9)", 3599},
                            Row{R"(, "expires_in": 36e2)", 3600},
                            Row{R"(, "expires_in": 0)", 0},
                            Row{R"(, "expires_in": "0")", 0},
                            Row{R"(, "expires_in": 1e300)", 2147483647},
                            Row{R"(, "expires_in": 18446744073709551615)", 2147483647},
                            Row{R"(, "expires_in": "99999999999999999999")", 2147483647},
                            Row{R"(, "scope": "a", "x": {"y": [1]})", std::nullopt}}) {
        CAPTURE(row.more);
        std::string error;
        const auto token = wire::read_oauth_answer(200, good(row.more), secret, error);
        REQUIRE(token);
        CHECK(error.empty());
        CHECK(token->access_token == "abc.DEF-1_2~3+/==");
        CHECK(token->expires_in.has_value() == row.seconds.has_value());
        if (row.seconds && token->expires_in) {
            CHECK(token->expires_in->count() == *row.seconds);
        }
    }
    const std::string digits(400, '9');
    std::string error;
    const auto endless =
        wire::read_oauth_answer(200, good(R"(, "expires_in": ")" + digits + '"'), secret, error);
    REQUIRE(endless);
    CHECK(endless->expires_in == std::chrono::seconds{2147483647});
    CHECK(wire::read_oauth_answer(
        201, R"({"token_type":"bEARER","access_token":"t"})", secret, error));
}

TEST_CASE("oauth: lifetimes that are none") {
    for (const std::string_view value :
         {"-1", "\"-1\"", "\"\"", "\"soon\"", "\"1e3\"", "\"1 \"", "true", "[]", "{}", "-0.5"}) {
        CAPTURE(value);
        CHECK(error_of(200, good(R"(, "expires_in": )" + std::string{value})) ==
              "expires_in is no number of seconds");
    }
}

TEST_CASE("oauth: answers that are no answers") {
    for (const std::string_view body :
         {"", "<html>", "{", "access_token=t", "{} x", "\xff", "{'a'}"}) {
        CAPTURE(body);
        CHECK(error_of(200, body) == "status 200, the answer is not JSON");
        CHECK(error_of(503, body) == "status 503, the answer is not JSON");
    }
    CHECK(error_of(200, std::string(60000, '[')) == "status 200, the answer is not JSON");
    for (const std::string_view body : {"[]", "null", "\"t\"", "1"}) {
        CHECK(error_of(200, body) == "status 200, the answer is no JSON object");
    }
    const auto padded = [](std::size_t size) {
        const auto body = good("");
        return body + std::string(size - body.size(), ' ');
    };
    std::string error;
    CHECK(wire::read_oauth_answer(200, padded(wire::max_oauth_answer), secret, error));
    CHECK(error_of(200, padded(wire::max_oauth_answer + 1)) ==
          "status 200, the answer is over 64 KiB");
}

TEST_CASE("oauth: tokens that cannot be sent") {
    CHECK(error_of(200, "{}") == "no access_token in the answer");
    CHECK(error_of(200, R"({"access_token": 1, "token_type": "Bearer"})") ==
          "no access_token in the answer");
    CHECK(error_of(200, R"({"access_token": "", "token_type": "Bearer"})") ==
          "no access_token in the answer");
    for (const std::string_view token :
         {"a b", "a\\r\\nX: y", "=", "a=b", "a\\u0000", "\\u00e4", "a,b"}) {
        CAPTURE(token);
        CHECK(error_of(
                  200,
                  R"({"token_type": "Bearer", "access_token": ")" + std::string{token} + "\"}") ==
              "the access_token has characters that no header may carry (RFC 6750)");
    }
    CHECK(error_of(200, R"({"access_token": "t"})") == "no token_type in the answer");
    CHECK(error_of(200, R"({"access_token": "t0k", "token_type": "mac"})") ==
          "the token_type is \"mac\", only Bearer can be sent");
    CHECK(error_of(200, R"({"access_token": "t0k", "token_type": "t0k"})") ==
          "the token_type is \"(not shown: it has a secret in it)\", only Bearer can be sent");
}

TEST_CASE("oauth: refusals") {
    CHECK(error_of(400, R"({"error": "invalid_scope"})") == "status 400, invalid_scope");
    CHECK(error_of(401, R"({"error": "invalid_client", "error_description": "No such client"})") ==
          "status 401, invalid_client: No such client");
    CHECK(error_of(200, R"({"error": "bad_verification_code"})") ==
          "status 200, bad_verification_code");
    CHECK(error_of(500, "{}") == "status 500");
    CHECK(error_of(500, good("")) == "status 500");
    CHECK(error_of(400, R"({"error": {"code": 1}, "error_description": "odd"})") ==
          "status 400: odd");
    CHECK(error_of(400, R"({"error": "a\nb\u001b[1m\"ä"})") ==
          "status 400, a\\x0ab\\x1b[1m\\x22\\xc3\\xa4");
    const std::string text(201, 'x');
    CHECK(error_of(400, R"({"error": "e", "error_description": ")" + text + "\"}") ==
          "status 400, e: " + std::string(200, 'x') + "...");
}

TEST_CASE("oauth: refusals never repeat a secret") {
    const std::string hidden = "(not shown: it has a secret in it)";
    for (const std::string_view echo :
         {"bad secret hush&hush!", "body: client_secret=hush%26hush"}) {
        CHECK(
            error_of(401, R"({"error": "e", "error_description": ")" + std::string{echo} + "\"}") ==
            "status 401, e: " + hidden);
        CHECK(error_of(401, R"({"error": ")" + std::string{echo} + "\"}") ==
              "status 401, " + hidden);
    }
    // Nor one that only its start would show of.
    const auto late = std::string(196, 'x') + "hush&hush";
    CHECK(error_of(401, R"({"error": "e", "error_description": ")" + late + "\"}") ==
          "status 401, e: " + hidden);
    CHECK(error_of(400, good(R"(, "error": "not abc.DEF-1_2~3+/==")")) == "status 400, " + hidden);
    std::string error;
    CHECK_FALSE(wire::read_oauth_answer(400, R"({"error": "open"})", "", error));
    CHECK(error == "status 400, open");
}

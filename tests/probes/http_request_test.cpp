// What an http check sends: methods, header fields, credentials and bodies, also after redirects.
#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

/// Reads one request with its body, says this, and closes.
Script answer_to_body(std::size_t body, std::string bytes) {
    return {step::read_request(), step::read_body(body), step::send(std::move(bytes))};
}

bool has_line(const std::string& request, const std::string& line) {
    return request.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("any method is sent as it is written") {
    for (const std::string method :
         {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"}) {
        CAPTURE(method);
        ScriptedServer server({answer(response("ok"))});
        const ProbeResult result =
            check_site(server.url("/x"), {.settings = "method = \"" + method + "\""});
        CHECK(result.failure == Failure::none);
        const std::string seen = server.finished()[0].received;
        CHECK(seen.starts_with(method + " /x HTTP/1.1\r\n"));
        const bool says_length = method == "POST" || method == "PUT" || method == "PATCH";
        CHECK(has_line(seen, "Content-Length: 0") == says_length);
    }
}

TEST_CASE("the answer to HEAD has no body, whatever its header says") {
    ScriptedServer server(
        {answer("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nContent-Encoding: gzip\r\n\r\n")});
    const ProbeResult result = check_site(server.url(), {.settings = "method = \"HEAD\""});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_content_length) == 5000);
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 0);
}

TEST_CASE("a body is sent with its length, from the text or from a file") {
    const TempDir directory;
    const std::string from_file("a\0b\r\n", 5);
    const std::string path = directory.write("query", from_file);
    for (const auto& [settings, body] :
         {std::pair<std::string, std::string>{"body = '{\"a\": 1}'", "{\"a\": 1}"},
          {"body_file = \"" + path + "\"", from_file},
          {"body = \"\"", ""}}) {
        CAPTURE(settings);
        ScriptedServer server({answer_to_body(body.size(), response("ok"))});
        const ProbeResult result =
            check_site(server.url(), {.settings = "method = \"PUT\"\n" + settings});
        CHECK(result.failure == Failure::none);
        const std::string seen = server.finished()[0].received;
        CHECK(has_line(seen, "Content-Length: " + std::to_string(body.size())));
        CHECK(seen.ends_with("\r\n\r\n" + body));
    }
}

TEST_CASE("a server that answers before it has taken a large body is heard") {
    ScriptedServer server({{step::read_request(),
                            step::send(response("too much", "", "413 Content Too Large")),
                            step::shut_down_write(),
                            step::wait_for_close()}});
    const ProbeResult result =
        check_site(server.url(),
                   {.settings = "method = \"POST\"\nstatus = 413\nbody = \"" +
                                std::string(200'000, 'x') + "\""});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_status_code) == 413);
}

TEST_CASE("credentials in their three forms") {
    for (const auto& [settings, line] :
         {std::pair<std::string, std::string>{
              "basic_auth = { username = \"Aladdin\", password = \"open sesame\" }",
              "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
          {"bearer_token = \"abc.def\"", "Authorization: Bearer abc.def"},
          {"authorization = { type = \"ApiKey\", credentials = \"k\" }", "Authorization: ApiKey k"},
          {"authorization = { credentials = \"k\" }", "Authorization: Bearer k"}}) {
        CAPTURE(settings);
        ScriptedServer server({answer(response("ok"))});
        // The userinfo of the url gives way to what the settings say.
        const ProbeResult result =
            check_site("http://user:pass@" + server.address() + "/", {.settings = settings});
        CHECK(result.failure == Failure::none);
        const std::string seen = server.finished()[0].received;
        CHECK(has_line(seen, line));
        CHECK(seen.find("Authorization", seen.find("Authorization") + 1) == std::string::npos);
    }
}

TEST_CASE("user_agent, and a header field that says more") {
    ScriptedServer server({answer(response("ok"))});
    static_cast<void>(check_site(server.url(), {.settings = "user_agent = \"Mozilla/5.0\""}));
    CHECK(has_line(server.finished()[0].received, "User-Agent: Mozilla/5.0"));

    ScriptedServer other({answer(response("ok"))});
    static_cast<void>(
        check_site(other.url(),
                   {.settings = "user_agent = \"Mozilla/5.0\"\nheaders = { User-Agent = \"x\" }"}));
    const std::string seen = other.finished()[0].received;
    CHECK(has_line(seen, "User-Agent: x"));
    CHECK(seen.find("Mozilla") == std::string::npos);
}

TEST_CASE("307 and 308 repeat method and body, the others ask by GET") {
    for (const auto& [status, repeats] : {std::pair<std::string, bool>{"301 Moved", false},
                                          {"302 Found", false},
                                          {"303 See Other", false},
                                          {"307 Temporary Redirect", true},
                                          {"308 Permanent Redirect", true}}) {
        CAPTURE(status);
        ScriptedServer server({answer_to_body(4, redirect_to("/next", status)),
                               answer_to_body(repeats ? 4 : 0, response("ok"))});
        const ProbeResult result =
            check_site(server.url(), {.settings = "method = \"POST\"\nbody = \"data\""});
        CHECK(result.failure == Failure::none);
        const std::string second = server.finished(2)[1].received;
        CHECK(second.starts_with(repeats ? "POST /next " : "GET /next "));
        CHECK(second.ends_with("data") == repeats);
        CHECK(has_line(second, "Content-Length: 4") == repeats);
    }
}

TEST_CASE("HEAD stays HEAD over a redirect") {
    ScriptedServer server({answer("HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n"),
                           answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")});
    const ProbeResult result = check_site(server.url(), {.settings = "method = \"HEAD\""});
    CHECK(result.failure == Failure::none);
    CHECK(server.finished(2)[1].received.starts_with("HEAD /next "));
}

TEST_CASE("a secret body is not sent to another host") {
    const TempDir directory;
    const std::string secret = directory.write("secret", "hush");
    DnsServer dns({{"home.test", {.a = {"127.0.0.1"}}}});
    ScriptedServer away({answer_to_body(4, response("ok"))});
    ScriptedServer home({answer_to_body(4, redirect_to(away.url("/x"), "307 Temporary Redirect"))});
    const std::string url = "http://home.test:" + std::to_string(home.port()) + "/";
    const ProbeResult kept =
        check_site(url,
                   {.settings = "method = \"POST\"\nbody = { file = \"" + secret + "\" }",
                    .dns_server = dns.address()});
    CHECK(kept.failure == Failure::protocol_error);
    CHECK(mentions(kept.detail, {"the request's body is a secret", away.address()}));
    CHECK(away.accepted() == 0);

    home.play({answer_to_body(4, redirect_to(away.url("/x"), "307 Temporary Redirect"))});
    const ProbeResult sent = check_site(
        url, {.settings = "method = \"POST\"\nbody = \"data\"", .dns_server = dns.address()});
    CHECK(sent.failure == Failure::none);
    CHECK(away.finished()[0].received.ends_with("data"));
}

TEST_CASE("a server that answers and takes no more of a large body is heard at once") {
    const TempDir directory;
    const std::string file = directory.write("body", std::string(12'000'000, 'x')).string();
    ScriptedServer server({{step::read_request(),
                            step::send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"),
                            [](Peer& peer) { return peer.drain(); },
                            step::wait_for_stop()}});
    const ProbeResult result =
        check_site(server.url(), {.settings = "method = \"POST\"\nbody_file = \"" + file + "\"\n"});
    CHECK(result.failure == Failure::unexpected_status);
    CHECK(result.readings.get(M::http_status_code) == 413);
}

// A server that breaks at every read and write of every feature: the number of the step is the
// loop's variable, so a new step of a protocol is met without a new test.
#include "tests/probes/http2_site.hpp"
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <set>

using namespace sonde::probes;
using namespace sonde::tests;

namespace {

/// How a good server is played, and how it is checked.
struct Feature {
    std::string name;
    std::function<std::vector<Script>()> scripts;
    std::function<std::string(const ScriptedServer&)> url;
    std::function<std::string(const ScriptedServer&)> settings;
    std::size_t checks = 1;
    std::size_t least_steps = 2;
};

const TestCa& ca() {
    static const TestCa made;
    return made;
}

const TempDir& directory() {
    static const TempDir made;
    return made;
}

std::string trusted() {
    static const std::string file = ca().write(directory()).string();
    return "tls.ca_file = \"" + file + "\"\n";
}

const std::string hello = "regex = \"hello\"\n";

Script keep_alive(std::size_t requests) {
    Script script;
    for (std::size_t i = 0; i < requests; ++i) {
        script.push_back(step::read_request());
        script.push_back(
            step::send_pieces({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello"}));
    }
    return script;
}

std::vector<Feature> features() {
    const auto http = [](const ScriptedServer& server) {
        return server.url();
    };
    const auto https = [](const ScriptedServer& server) {
        return server.url("/", "https");
    };
    const auto always = [](std::string text) {
        return [text = std::move(text)](const ScriptedServer&) {
            return text;
        };
    };
    const std::string shop = "http://shop.test:8080/";
    std::vector<Feature> all;
    all.push_back({"plain, in pieces",
                   [] { return std::vector<Script>(1, keep_alive(1)); },
                   http,
                   always(hello)});
    all.push_back({"chunked and compressed",
                   [] {
                       return std::vector<Script>{answer(
                           chunked_response({gzip("hello").substr(0, 9), gzip("hello").substr(9)},
                                            "Content-Encoding: gzip\r\n"))};
                   },
                   http,
                   always(hello)});
    all.push_back({"redirects with a cookie",
                   [] {
                       return std::vector<Script>{
                           answer(response("", "Location: /a\r\nSet-Cookie: a=b\r\n", "302 Found")),
                           answer(response("hello"))};
                   },
                   http,
                   always(hello),
                   1,
                   4});
    all.push_back({"TLS",
                   [] {
                       return std::vector<Script>{
                           tls_answer({.identity = ca().issue()}, response("hello"))};
                   },
                   https,
                   always(hello + trusted()),
                   1,
                   4});
    all.push_back({"a kept connection",
                   [] { return std::vector<Script>(1, keep_alive(3)); },
                   http,
                   always(hello + "connection = \"reuse\"\n"),
                   3,
                   6});
    all.push_back({"a resumed TLS session",
                   [] {
                       return std::vector<Script>{
                           tls_answer({.identity = ca().issue()}, response("hello"))};
                   },
                   https,
                   always(hello + trusted() + "tls.resume = true\n"),
                   2,
                   8});
    all.push_back({"HTTP/2 in clear",
                   [] {
                       return std::vector<Script>{{speak_http2(
                           http2_reply({.pieces = {"hel", "lo"}, .trailers = {{"a", "b"}}}),
                           std::make_shared<Http2Record>())}};
                   },
                   http,
                   always(hello + "http2 = \"prior_knowledge\"\nconnection = \"reuse\"\n"),
                   2});
    all.push_back({"HTTP/2 over TLS",
                   [] {
                       return std::vector<Script>{
                           {step::tls({.identity = ca().issue(), .alpn = "h2"}),
                            speak_http2(http2_reply({.pieces = {"hello"}}),
                                        std::make_shared<Http2Record>())}};
                   },
                   https,
                   always(hello + trusted()),
                   1,
                   5});
    all.push_back({"a forwarding proxy",
                   [] { return std::vector<Script>{answer(response("hello"))}; },
                   always(shop),
                   [](const ScriptedServer& proxy) {
                       return hello + "proxy_url = \"http://" + proxy.address() + "\"\n";
                   }});
    all.push_back({"a tunnel through an HTTP proxy",
                   [] {
                       CertificateSpec spec;
                       spec.dns_names = {"shop.test"};
                       return std::vector<Script>{{step::read_request(),
                                                   step::send("HTTP/1.1 200 OK\r\n\r\n"),
                                                   step::tls({.identity = ca().issue(spec)}),
                                                   step::read_request(),
                                                   step::send(response("hello"))}};
                   },
                   always("https://shop.test/"),
                   [](const ScriptedServer& proxy) {
                       return hello + "proxy_url = \"http://" + proxy.address() + "\"\n" +
                              trusted();
                   },
                   1,
                   6});
    all.push_back({"a tunnel through a SOCKS5 proxy with a user",
                   [] {
                       return std::vector<Script>{
                           {step::read_bytes(4),
                            step::send(std::string{"\x05\x02", 2}),
                            step::read_bytes(4 + 9),
                            step::send(std::string{"\x01\x00", 2}),
                            step::read_bytes(4 + 9 + 16),
                            step::send(std::string{"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10}),
                            step::read_request(),
                            step::send(response("hello"))}};
                   },
                   always(shop),
                   [](const ScriptedServer& proxy) {
                       return hello + "proxy_url = \"socks5://ann:pass@" + proxy.address() + "\"\n";
                   },
                   1,
                   7});
    all.push_back(
        {"a proxy over TLS",
         [] {
             return std::vector<Script>{tls_answer({.identity = ca().issue()}, response("hello"))};
         },
         always(shop),
         [](const ScriptedServer& proxy) {
             return hello + "proxy_url = \"https://" + proxy.address() + "\"\n" + trusted();
         },
         1,
         4});
    all.push_back({"JSON, extraction and hash",
                   [] { return std::vector<Script>{answer(response("{\"hello\": 1}"))}; },
                   http,
                   always("expect_json = \"body.hello == 1\"\nbody_changed = true\n"
                          "extract = { name = \"x\", json = \"body.hello\" }\n")});
    return all;
}

/// What a fault of the server may come to; a bug of ours, or waiting for what never comes, may not.
bool is_told(Failure failure) {
    static const std::set<Failure> good{Failure::connection_reset,
                                        Failure::connect_refused,
                                        Failure::tls_handshake,
                                        Failure::tls_alert,
                                        Failure::protocol_error,
                                        Failure::decode_error,
                                        Failure::proxy_failed,
                                        Failure::oauth_failed,
                                        // Garbage in the place of a body.
                                        Failure::unexpected_content};
    return good.contains(failure);
}

/// Returns how many reads and writes a good server had.
std::size_t break_everywhere(const Feature& feature, Fault::How how) {
    for (std::size_t at = 1;; ++at) {
        CAPTURE(at);
        const auto fault = std::make_shared<Fault>();
        fault->how = how;
        fault->at = at;
        ScriptedServer server(feature.scripts());
        server.break_with(fault);
        const auto results = check_site_repeatedly(
            feature.url(server), feature.checks, {.settings = feature.settings(server)});
        for (const ProbeResult& result : results) {
            // A check succeeds when its answer came whole all the same.
            CAPTURE(result.detail);
            CHECK((result.success() || is_told(result.failure)));
            CHECK((result.success() || !result.detail.empty()));
            CHECK((result.success() || !result.exhausted));
        }
        if (!fault->happened()) {
            for (const ProbeResult& result : results) {
                CHECK(mentions(result.detail, {""}));
                CHECK(result.success());
            }
            return at - 1;
        }
    }
}

}  // namespace

TEST_CASE(
    "a server that breaks at any read or write is told as what it did, and never waited for") {
    for (const Feature& feature : features()) {
        CAPTURE(feature.name);
        for (const Fault::How how :
             {Fault::How::close, Fault::How::reset, Fault::How::half, Fault::How::garbage}) {
            CAPTURE(static_cast<int>(how));
            CHECK(break_everywhere(feature, how) >= feature.least_steps);
        }
    }
}

TEST_CASE("an issuer of tokens that breaks at any read or write fails the check for that") {
    for (const Fault::How how :
         {Fault::How::close, Fault::How::reset, Fault::How::half, Fault::How::garbage}) {
        for (std::size_t at = 1; at <= 2; ++at) {
            CAPTURE(at);
            const auto fault = std::make_shared<Fault>();
            fault->how = how;
            fault->at = at;
            ScriptedServer issuer(
                {answer(response("{\"access_token\": \"abc\", \"token_type\": \"Bearer\"}"))});
            issuer.break_with(fault);
            ScriptedServer server({answer(response("hello"))});
            const ProbeResult result = check_site(
                server.url(),
                {.settings =
                     "oauth2 = { client_id = \"a\", client_secret = \"faults\", token_url = \"" +
                     issuer.url("/" + std::to_string(issuer.port())) + "\" }\n"});
            CHECK(result.failure == Failure::oauth_failed);
            CHECK(server.accepted() == 0);
        }
    }
}

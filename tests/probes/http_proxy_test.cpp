// Http checks through a proxy: by the whole url, by CONNECT, and what goes wrong there.
#include "probes/kinds/http/proxy.hpp"

#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

/// Answers CONNECT with this, then is the server at the other end of the tunnel.
Script tunnel(const TlsScript& tls, std::string answer_to_connect, std::string bytes) {
    return {step::read_request(),
            step::send(std::move(answer_to_connect)),
            step::tls(tls),
            step::read_request(),
            step::send(std::move(bytes))};
}

std::string through(const ScriptedServer& proxy, const std::string& userinfo = "") {
    return "proxy_url = \"http://" + userinfo + proxy.address() + "\"\n";
}

const std::string established = "HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n";

}  // namespace

TEST_CASE("plain http is asked of the proxy by its whole url, whose host nobody looks up") {
    ScriptedServer proxy({answer(response("hello"))});
    const ProbeResult result =
        check_site("http://shop.test:8080/a?b",
                   {.settings = through(proxy, "ann:x%20y@") +
                                "proxy_headers = { X-Env = \"blue\" }\nregex = \"hello\""});
    CHECK(result.failure == Failure::none);
    CHECK(phases_of(result) == "connect processing transfer other");
    const std::string seen = proxy.finished()[0].received;
    CHECK(seen.starts_with("GET http://shop.test:8080/a?b HTTP/1.1\r\nHost: shop.test:8080\r\n"));
    CHECK(seen.find("\r\nX-Env: blue\r\n") != std::string::npos);
    CHECK(seen.find("\r\nProxy-Authorization: Basic YW5uOnggeQ==\r\n") != std::string::npos);
}

TEST_CASE("https goes through a tunnel, of which the server sees nothing") {
    const TestCa ca;
    const TempDir directory;
    CertificateSpec spec;
    spec.dns_names = {"shop.test"};
    ScriptedServer proxy({tunnel({.identity = ca.issue(spec)}, established, response("hello"))});
    const ProbeResult result =
        check_site("https://shop.test/a",
                   {.settings = through(proxy, "ann:x@") + trust(ca, directory) +
                                "headers = { Authorization = \"Bearer t\" }\nregex = \"hello\""});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::tls_verified) == 1);
    CHECK(phases_of(result) == "connect tls processing transfer other");
    const Conversation seen = proxy.finished()[0];
    CHECK(seen.sni == "shop.test");
    const std::size_t end = seen.received.find("\r\n\r\n") + 4;
    const std::string to_proxy = seen.received.substr(0, end);
    const std::string to_server = seen.received.substr(end);
    CHECK(to_proxy.starts_with("CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n"));
    CHECK(to_proxy.find("Proxy-Authorization: Basic YW5uOng=") != std::string::npos);
    CHECK(to_proxy.find("Bearer") == std::string::npos);
    CHECK(to_server.starts_with("GET /a HTTP/1.1\r\nHost: shop.test\r\n"));
    CHECK(to_server.find("Proxy-Authorization") == std::string::npos);
}

TEST_CASE("a proxy that does not open the way") {
    struct Case {
        Script script;
        std::string detail;
    };

    const std::vector<Case> cases{
        {answer("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nno!"),
         "CONNECT was answered 407 Proxy Authentication Required"},
        {answer("HTTP/1.1 502\r\n\r\n"), "CONNECT was answered 502"},
        {answer("SSH-2.0-nothing\r\n\r\n"), "through the proxy"},
        {answer("HTTP/1.1 200 OK\r\n\r\nsurprise"),
         "bytes of nobody's before anything was asked of the server"},
        {{step::read_request(), step::close()}, "the server closed the connection"},
        {{step::read_request(), step::send("HTTP/1.1 200"), step::close()},
         "the server closed the connection"},
        {{step::read_request(), step::reset()}, "through the proxy"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.detail);
        ScriptedServer proxy({each.script});
        const ProbeResult result = check_site("https://shop.test/", {.settings = through(proxy)});
        CHECK(result.failure == Failure::proxy_failed);
        CHECK(mentions(result.detail, {"https://shop.test", "the proxy", each.detail}));
    }
}

TEST_CASE("a proxy that is not there, has no name, or is silent") {
    const RefusedPort refused;
    const ProbeResult no_proxy = check_site(
        "http://shop.test/",
        {.settings = "proxy_url = \"http://127.0.0.1:" + std::to_string(refused.port()) + "\""});
    CHECK(no_proxy.failure == Failure::proxy_failed);
    CHECK(mentions(no_proxy.detail, {"through the proxy 127.0.0.1", "refused"}));

    DnsServer dns({});
    const ProbeResult no_name = check_site(
        "http://shop.test/",
        {.settings = "proxy_url = \"http://proxy.test:3128\"", .dns_server = dns.address()});
    CHECK(no_name.failure == Failure::proxy_failed);
    CHECK(mentions(no_name.detail, {"resolving the proxy proxy.test", "NXDOMAIN"}));

    const TempDir directory;
    const std::string secret =
        directory.write("proxy", "http://127.0.0.1:" + std::to_string(refused.port())).string();
    const ProbeResult hidden =
        check_site("http://shop.test/", {.settings = "proxy_url = { file = \"" + secret + "\" }"});
    CHECK(hidden.failure == Failure::proxy_failed);
    CHECK(hidden.detail.find("127.0.0.1") == std::string::npos);

    ScriptedServer silent({{step::read_request(), step::wait_for_close()}});
    const ProbeResult late =
        check_site("https://shop.test/", {.settings = through(silent), .timeout = short_deadline});
    CHECK(late.failure == Failure::timeout);
    CHECK(mentions(late.detail, {"the proxy's answer to CONNECT"}));
}

TEST_CASE("redirects may lead past the proxy") {
    ScriptedServer direct({answer(response("there"))});
    ScriptedServer proxy({answer(redirect_to(direct.url("/x")))});
    const ProbeResult result = check_site(
        "http://shop.test/",
        {.settings = through(proxy) + "no_proxy = [\"127.0.0.0/8\"]\nregex = \"there\""});
    CHECK(result.failure == Failure::none);
    CHECK(direct.finished()[0].received.starts_with("GET /x HTTP/1.1\r\n"));
}

TEST_CASE("for which hosts a proxy is") {
    const auto goes = [](const std::string& url, const std::vector<std::string>& no_proxy) {
        http::ProxySpec proxy;
        for (const std::string& entry : no_proxy) {
            CHECK(proxy.add_exception(entry));
        }
        std::string error;
        return proxy.is_for(Url::parse(url, error).value());
    };
    CHECK(goes("http://shop.example/", {}));
    CHECK_FALSE(goes("http://shop.example/", {"*"}));
    CHECK_FALSE(goes("http://shop.example/", {"other", "Shop.Example"}));
    CHECK_FALSE(goes("http://www.shop.example/", {"shop.example"}));
    CHECK(goes("http://myshop.example/", {"shop.example"}));
    CHECK(goes("http://shop.example/", {".shop.example"}));
    CHECK_FALSE(goes("http://www.shop.example/", {".shop.example"}));
    CHECK(goes("http://shop.example/", {"shop.example:8080"}));
    CHECK_FALSE(goes("http://shop.example:8080/", {"shop.example:8080"}));
    CHECK_FALSE(goes("http://10.1.2.3/", {"10.0.0.0/8"}));
    CHECK(goes("http://11.1.2.3/", {"10.0.0.0/8"}));
    CHECK_FALSE(goes("http://10.1.2.3/", {"10.1.2.3"}));
    CHECK_FALSE(goes("http://[2001:db8::7]/", {"2001:db8::/32"}));
    CHECK_FALSE(goes("http://[2001:db8::7]/", {"2001:db8:0::7"}));
    CHECK_FALSE(goes("http://[2001:db8::7]:81/", {"[2001:db8::7]:81"}));
    CHECK(goes("http://[2001:db8::7]/", {"[2001:db8::7]:81", "10.0.0.0/8"}));
}

namespace {

constexpr std::string_view socks_reply{"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38", 10};

/// A SOCKS5 proxy that wants no user and opens the way to a server that says this.
Script socks(std::size_t request_size, std::string_view reply, const std::string& answer) {
    return {step::read_bytes(3),
            step::send(std::string{"\x05\x00", 2}),
            step::read_bytes(3 + request_size),
            step::send(std::string{reply}),
            step::read_request(),
            step::send(answer)};
}

std::string through_socks(const ScriptedServer& proxy, const std::string& userinfo = "") {
    return "proxy_url = \"socks5://" + userinfo + proxy.address() + "\"\n";
}

}  // namespace

TEST_CASE("a SOCKS5 proxy is given the name, which nobody here looks up") {
    ScriptedServer proxy({socks(7 + 9, socks_reply, response("hello"))});
    const ProbeResult result = check_site("http://shop.test:8080/a?b",
                                          {.settings = through_socks(proxy) + "regex = \"hello\""});
    CHECK(mentions(result.detail, {""}));
    CHECK(result.failure == Failure::none);
    CHECK(phases_of(result) == "connect processing transfer other");
    const std::string seen = proxy.finished()[0].received;
    CHECK(seen.starts_with(std::string{"\x05\x01\x00\x05\x01\x00\x03\x09shop.test\x1f\x90", 19}));
    CHECK(seen.find("GET /a?b HTTP/1.1\r\nHost: shop.test:8080\r\n") != std::string::npos);
}

TEST_CASE("a SOCKS5 proxy that does not open the way") {
    struct Case {
        Script script;
        std::string detail;
    };

    const std::string no_way{"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00", 10};
    const std::vector<Case> cases{
        {{step::read_bytes(3), step::send(std::string{"\x05\xff", 2})}, "through the proxy"},
        {{step::read_bytes(3), step::send("HTTP/1.1 400 Bad Request\r\n\r\n")}, "not SOCKS5"},
        {{step::read_bytes(3), step::close()}, "through the proxy"},
        {{step::read_bytes(3),
          step::send(std::string{"\x05\x00", 2}),
          step::read_bytes(19),
          step::send(no_way)},
         "refused"},
        {{step::read_bytes(3),
          step::send(std::string{"\x05\x00", 2}),
          step::read_bytes(19),
          step::send(std::string{socks_reply} + "surprise")},
         "bytes of nobody's"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.detail);
        ScriptedServer proxy({each.script});
        const ProbeResult result =
            check_site("http://shop.test:8080/", {.settings = through_socks(proxy)});
        CHECK(result.failure == Failure::proxy_failed);
        CHECK(mentions(result.detail, {"http://shop.test:8080", "the proxy", each.detail}));
    }
}

TEST_CASE("a proxy that is spoken to over TLS, and judged by its certificate") {
    const TestCa ca;
    const TempDir directory;
    const std::string settings = "regex = \"hello\"\n" + trust(ca, directory);
    for (const bool good : {true, false}) {
        ScriptedServer proxy(
            {tls_answer({.identity = good ? ca.issue() : ca.issue(CertificateSpec::wrong_name())},
                        response("hello"))});
        const ProbeResult result = check_site(
            "http://shop.test/",
            {.settings = "proxy_url = \"https://ann:x@" + proxy.address() + "\"\n" + settings});
        CAPTURE(result.detail);
        if (good) {
            CHECK(result.failure == Failure::none);
            CHECK(phases_of(result) == "connect processing transfer other");
            // The target's connection is plain all the same.
            CHECK(result.readings.get(M::http_ssl) == 0);
            CHECK_FALSE(result.readings.get(M::tls_verified).has_value());
            CHECK(proxy.finished()[0].received.starts_with("GET http://shop.test/ HTTP/1.1\r\n"));
        } else {
            CHECK(result.failure == Failure::proxy_failed);
            CHECK(mentions(result.detail, {"certificate of the proxy", "mismatch"}));
            CHECK(proxy.finished()[0].received.empty());
        }
    }
}

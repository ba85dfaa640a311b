// Http checks over HTTP/2: chosen by ALPN, known beforehand, and everything that may go wrong
// there.
#include "tests/probes/http2_site.hpp"
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

constexpr std::uint32_t internal_error = 2;
constexpr std::uint32_t refused_stream = 7;
constexpr std::uint32_t enhance_your_calm = 11;

/// A server that is played to, and what it was asked.
struct Http2Server {
    explicit Http2Server(Http2Answerer answerer, Http2PeerOptions options = {})
        : server({{speak_http2(std::move(answerer), asked, options)}}) {}

    std::shared_ptr<Http2Record> asked = std::make_shared<Http2Record>();
    ScriptedServer server;
};

const std::string known = "http2 = \"prior_knowledge\"\n";

}  // namespace

TEST_CASE("HTTP/2 with prior knowledge: the request's fields, the response's facts") {
    Http2Server site(http2_reply(
        {.fields = {{"last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"content-length", "10"}},
         .pieces = {"hello", "world"},
         .trailers = {{"x-end", "1"}}}));
    Trace trace;
    const ProbeResult result = check_site(
        site.server.url("/a?b=c"),
        {.settings = known + "regex = \"helloworld\"\nhttp_versions = [\"2\"]\n"
                             "expect_headers = [\"Last-Modified\"]\nbearer_token = \"t\"\n",
         .trace = &trace});
    CHECK(mentions(result.detail, {""}));
    CHECK(result.success());
    CHECK(result.readings.get(M::http_version) == 2);
    CHECK(result.readings.get(M::http_content_length) == 10);
    CHECK(result.readings.get(M::http_last_modified) == 784111777);
    CHECK(phases_of(result) == "connect processing transfer other");
    CHECK(trace.hops[0].protocol == "HTTP/2");
    const Http2Asked asked = site.asked->all()[0];
    CHECK(asked.field(":method") == "GET");
    CHECK(asked.field(":scheme") == "http");
    CHECK(asked.field(":authority") == site.server.address());
    CHECK(asked.field(":path") == "/a?b=c");
    CHECK(asked.field("authorization") == "Bearer t");
    CHECK(asked.field("accept") == "*/*");
    CHECK(asked.field("connection").empty());
    CHECK(asked.field("host").empty());
}

TEST_CASE("over TLS the server chooses, and is offered what the settings say") {
    const TestCa ca;
    const TempDir directory;
    const std::string trusted = trust(ca, directory);
    const auto asked = std::make_shared<Http2Record>();
    ScriptedServer two({{step::tls({.identity = ca.issue(), .alpn = "h2"}),
                         speak_http2(http2_reply({.pieces = {"two"}}), asked)}});
    const ProbeResult over2 =
        check_site(two.url("/", "https"), {.settings = trusted + "regex = \"two\""});
    CHECK(over2.success());
    CHECK(over2.readings.get(M::http_version) == 2);
    CHECK(over2.readings.get(M::http_ssl) == 1);
    CHECK(phases_of(over2) == "connect tls processing transfer other");
    CHECK(two.finished()[0].alpn_offer == "\x02h2\x08http/1.1");
    CHECK(asked->all()[0].field(":scheme") == "https");

    for (const std::string chosen : {"", "http/1.1"}) {
        ScriptedServer one({tls_answer({.identity = ca.issue(), .alpn = chosen}, response("one"))});
        const ProbeResult over1 =
            check_site(one.url("/", "https"), {.settings = trusted + "regex = \"one\""});
        CHECK(over1.success());
        CHECK(over1.readings.get(M::http_version) == 1.1);
    }

    ScriptedServer never({tls_answer({.identity = ca.issue()}, response("one"))});
    CHECK(check_site(never.url("/", "https"), {.settings = trusted + "http2 = \"never\"\n"})
              .success());
    CHECK(never.finished()[0].alpn_offer == "\x08http/1.1");
}

TEST_CASE("an unmet expectation on the version is told") {
    Http2Server site(http2_reply({}));
    const ProbeResult result =
        check_site(site.server.url(), {.settings = known + "http_versions = [\"1.1\"]"});
    CHECK(result.failure == Failure::unexpected_protocol);
    CHECK(result.detail == "HTTP 2, expected HTTP 1.1");
}

TEST_CASE("a body larger than all windows goes out and comes in") {
    const std::string large(300'000, 'x');
    Http2Server site(
        http2_reply({.pieces = std::vector<std::string>(40, std::string(50'000, 'y'))}));
    const ProbeResult result = check_site(
        site.server.url(), {.settings = known + "method = \"POST\"\nbody = \"" + large + "\"\n"});
    CHECK(result.success());
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 2'000'000);
    CHECK(site.asked->all()[0].body.size() == large.size());
    CHECK(site.asked->all()[0].field("content-length") == std::to_string(large.size()));
}

TEST_CASE("HEAD, and answers without a body") {
    Http2Server head([](Http2Peer& peer, std::int32_t stream) {
        peer.reply(stream, {.fields = {{"content-length", "7"}}});
        return true;
    });
    const ProbeResult of_head =
        check_site(head.server.url(), {.settings = known + "method = \"HEAD\"\n"});
    CHECK(of_head.success());
    CHECK(of_head.readings.get(M::http_content_length) == 7);

    Http2Server empty([](Http2Peer& peer, std::int32_t stream) {
        peer.reply(stream, {.status = "204", .fields = {{"content-length", "0"}}});
        return true;
    });
    const ProbeResult of_empty = check_site(empty.server.url(), {.settings = known});
    CHECK(of_empty.success());
    CHECK(of_empty.readings.get(M::http_status_code) == 204);
}

TEST_CASE("a compressed body is decoded, a bomb ends at max_body") {
    const std::string text(3'000'000, 'x');
    Http2Server site(
        http2_reply({.fields = {{"content-encoding", "gzip"}}, .pieces = {gzip(text)}}));
    CHECK(check_site(site.server.url(), {.settings = known + "regex = \"^x+$\""}).success());
    const ProbeResult bomb =
        check_site(site.server.url(), {.settings = known + "max_body = \"1MiB\""});
    CHECK(bomb.failure == Failure::body_too_large);
}

TEST_CASE("interim responses are no response, but they end the wait for one") {
    Http2Server site([](Http2Peer& peer, std::int32_t stream) {
        peer.interim(stream, "103");
        peer.reply(stream, {.pieces = {"hello"}});
        return true;
    });
    const ProbeResult result = check_site(site.server.url(), {.settings = known});
    CHECK(result.success());
    CHECK(result.readings.get(M::http_status_code) == 200);
}

TEST_CASE("what goes wrong over HTTP/2 is told in its words") {
    struct Case {
        std::string name;
        Http2Answerer answerer;
        Failure failure;
        std::string detail;
    };

    const std::vector<Case> cases{
        {"reset",
         [](Http2Peer& peer, std::int32_t stream) {
             peer.reset(stream, internal_error);
             return true;
         },
         Failure::connection_reset,
         "RST_STREAM with INTERNAL_ERROR"},
        {"goaway",
         [](Http2Peer& peer, std::int32_t) {
             peer.go_away(0, enhance_your_calm, "too many checks");
             return true;
         },
         Failure::connection_reset,
         "ENHANCE_YOUR_CALM"},
        {"closed",
         [](Http2Peer&, std::int32_t) { return false; },
         Failure::connection_reset,
         "reading the response of"},
        {"cut",
         [](Http2Peer& peer, std::int32_t stream) {
             peer.raw(http2_frame(4, 0, 0) +
                      http2_frame(1, 4, stream, http2_block({{":status", "200"}})) +
                      http2_frame(0, 0, stream, "five"));
             return false;
         },
         Failure::protocol_error,
         ""},
        {"uppercase",
         [](Http2Peer& peer, std::int32_t stream) {
             peer.raw(
                 http2_frame(1, 5, stream, http2_block({{":status", "200"}, {"X-Upper", "1"}})));
             return true;
         },
         Failure::protocol_error,
         ""},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        Http2Server site(each.answerer);
        const ProbeResult result = check_site(site.server.url(), {.settings = known});
        CAPTURE(result.detail);
        CHECK(result.failure == each.failure);
        CHECK(mentions(result.detail, {site.server.address(), each.detail}));
        CHECK(site.asked->all().size() == 1);  // and nothing is asked again
    }
}

TEST_CASE("a server that speaks HTTP/1 only") {
    ScriptedServer server({{[](Peer& peer) { return peer.receive(); },
                            step::send("HTTP/1.1 400 Bad Request\r\n\r\n")}});
    const ProbeResult result = check_site(server.url(), {.settings = known});
    CHECK(result.failure == Failure::protocol_error);
    CHECK(mentions(result.detail, {"not HTTP/2", "HTTP/1.1 400"}));
}

TEST_CASE("a silent HTTP/2 server ends at the deadline, in the right phase") {
    Http2Server site([](Http2Peer&, std::int32_t) { return true; });
    const ProbeResult result =
        check_site(site.server.url(), {.settings = known, .timeout = short_deadline});
    CHECK(result.failure == Failure::timeout);
    CHECK(mentions(result.detail, {"waiting for the response"}));
    CHECK(phases_of(result) == "connect");
}

TEST_CASE("a kept HTTP/2 connection carries the next check, also after a body that nobody wanted") {
    Http2Server site(http2_reply({.pieces = {"hello", std::string(100'000, 'x')}}));
    const auto results = check_site_repeatedly(
        site.server.url(),
        3,
        {.settings =
             known + "connection = \"reuse\"\nregex = \"hello\"\nread = \"until_decided\"\n"});
    for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);
        CHECK(mentions(results[i].detail, {""}));
        CHECK(results[i].success());
        CHECK(results[i].readings.get(M::http_connection_reused) == (i == 0 ? 0 : 1));
    }
    CHECK(site.server.accepted() == 1);
    CHECK(site.asked->all().size() == 3);
}

TEST_CASE("a kept connection that the server leaves is dead, whatever it says") {
    struct Case {
        std::string name;
        Http2Answerer answerer;
    };

    const auto second_time = [](auto what) {
        return [what, count = std::make_shared<int>(0)](Http2Peer& peer, std::int32_t stream) {
            if (++*count == 2) {
                return what(peer, stream);
            }
            peer.reply(stream, {.pieces = {"hello"}});
            return true;
        };
    };
    const std::vector<Case> cases{
        {"goaway below the stream", second_time([](Http2Peer& peer, std::int32_t) {
             peer.go_away(1, 0, "");
             return false;
         })},
        {"refused", second_time([](Http2Peer& peer, std::int32_t stream) {
             peer.reset(stream, refused_stream);
             return true;
         })},
        {"closed", second_time([](Http2Peer&, std::int32_t) { return false; })},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        Http2Server site(each.answerer);
        const auto results = check_site_repeatedly(
            site.server.url(), 2, {.settings = known + "connection = \"reuse\"\n"});
        CAPTURE(results[1].detail);
        CHECK(results[1].success());
        CHECK(results[1].dead_connections == 1);
        CHECK(results[1].readings.get(M::http_connection_reused) == 0);
        CHECK(site.server.accepted() == 2);
    }
}

TEST_CASE("redirects over HTTP/2 keep their rules") {
    Http2Server site([](Http2Peer& peer, std::int32_t stream) {
        const bool first = peer.asked().back().field(":path") == "/";
        if (first) {
            peer.reply(stream,
                       {.status = "302",
                        .fields = {{"location", "/home"}, {"set-cookie", "a=b"}},
                        .pieces = {"moved"}});
        } else {
            peer.reply(stream, {.pieces = {"home"}});
        }
        return true;
    });
    const ProbeResult result =
        check_site(site.server.url(),
                   {.settings = known + "method = \"POST\"\nbody = \"x\"\nregex = \"home\""});
    CHECK(result.success());
    CHECK(result.readings.get(M::http_redirects) == 1);
    const auto asked = site.asked->all();
    CHECK(asked[0].field(":method") == "POST");
    CHECK(asked[1].field(":method") == "GET");
    CHECK(asked[1].field("cookie") == "a=b");
    CHECK(asked[1].body.empty());
}

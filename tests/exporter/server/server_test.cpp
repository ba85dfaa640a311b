// The HTTP server against raw sockets: framing, pipelining, errors, shutdown.
#include "exporter/server/server.hpp"

#include "tests/exporter/server/scripted_handler.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <string>

namespace asio = boost::asio;

using namespace sonde::exporter;
using namespace sonde::exporter::test;
using namespace std::chrono_literals;

TEST_CASE("a connection serves one request after another") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    const auto first = client.get("/a%20b/c?x=1&y=%26+z&empty");
    CHECK(first.status == 200);
    CHECK(first.body == "GET /a b/c x=1 y=& z empty= ");
    CHECK(first.field("x-test") == "yes");
    CHECK(first.field("content-type") == "text/plain; charset=utf-8");
    CHECK(first.field("date").ends_with(" gmt"));
    client.send("POST /form HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody");
    CHECK(client.receive().body == "POST /form body");
    client.send(
        "PUT /in HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    CHECK(client.receive().body == "PUT /in abcde");
    CHECK(client.get("/empty").status == 204);
    CHECK(client.get("/last", "Connection: close\r\n").field("connection") == "close");
    CHECK(client.at_end());
}

TEST_CASE("pipelined requests are answered in order, whatever the borders of packets") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    client.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n"
        "Content-Length: 2\r\n\r\nxyGET /stream?pieces=2 HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /3 HT");
    CHECK(client.receive().body == "GET /1 ");
    CHECK(client.receive().body == "POST /2 xy");
    CHECK(client.receive().body.size() == 2 * piece_size);
    for (const char byte : std::string_view("TP/1.1\r\nHost: a\r\n\r\n")) {
        client.send({&byte, 1});
    }
    CHECK(client.receive().body == "GET /3 ");
}

TEST_CASE("HEAD has the header of GET and no body") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    client.send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto head = client.receive(true);
    CHECK(head.status == 200);
    CHECK(head.field("content-length") == "10");  // of "HEAD /abc "
    client.send("HEAD /stream?pieces=9 HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.receive(true).field("transfer-encoding") == "chunked");
    CHECK(fixture.seen->pieces == 1);
    CHECK(client.get("/next").body == "GET /next ");  // no byte of a body came in between
}

TEST_CASE("HTTP/1.0 gets a stream until the connection's end, and keeps alive on demand") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(client.receive().field("connection") == "keep-alive");
    client.send("GET /stream?pieces=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto streamed = client.receive();
    CHECK(streamed.complete);
    CHECK(streamed.field("transfer-encoding").empty());
    CHECK(streamed.body.size() == 3 * piece_size);
}

TEST_CASE("a body of one piece is sent with its length") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    const auto got = client.get("/stream?pieces=1");
    CHECK(got.field("content-length") == std::to_string(piece_size));
    CHECK(got.body == std::string(piece_size, 'b'));
}

TEST_CASE("Expect: 100-continue is answered before the body is sent") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.receive().status == 100);
    client.send("ok");
    CHECK(client.receive().body == "POST /p ok");
    client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: miracles\r\n\r\n");
    CHECK(client.receive().status == 417);
    CHECK(client.at_end());
}

TEST_CASE("what is no request is refused with 400") {
    Fixture fixture;
    for (const std::string_view bytes : {
             "hello\r\n\r\n",
             "GET / HTTP/1.1\r\n\r\n",                                   // no Host
             "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",             // two
             "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",                     // bad escape
             "GET /?a=%f HTTP/1.1\r\nHost: a\r\n\r\n",                   // bad escape
             "GET abc HTTP/1.1\r\nHost: a\r\n\r\n",                      // no path
             "GET / HTTP/3.0\r\nHost: a\r\n\r\n",                        // unknown version
             "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",         // field name
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",  // length
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
             "chunked\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
             "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
         }) {
        CAPTURE(bytes);
        HttpClient client(fixture.server.address());
        client.send(bytes);
        const auto got = client.receive();
        CHECK(got.status == 400);
        CHECK(got.field("connection") == "close");
        CHECK(client.at_end());
    }
}

TEST_CASE("absolute-form targets and characters that people do not encode are understood") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    CHECK(client.get("http://elsewhere:9115/p?q=1").body == "GET /p q=1 ");
    CHECK(client.get("http://elsewhere").body == "GET / ");
    CHECK(client.get("/?t=http://[::1]/{a|b}").body == "GET / t=http://[::1]/{a|b} ");
    CHECK(client.get("*").body == "GET * ");
}

TEST_CASE("exceptions of handlers and sources") {
    Fixture fixture;
    HttpClient client(fixture.server.address());
    const auto failed = client.get("/throw");
    CHECK(failed.status == 500);
    CHECK(failed.body.find("bug") == std::string::npos);
    CHECK(client.get("/stream?pieces=3&fail_at=1").status == 500);
    CHECK(client.get("/").status == 200);
    Fixture late;
    HttpClient reader(late.server.address());
    const auto cut = reader.get("/stream?pieces=5&fail_at=3");
    CHECK(cut.status == 200);
    CHECK(cut.body.size() == 2 * piece_size);
    CHECK_FALSE(cut.complete);
    CHECK(reader.at_end());
}

TEST_CASE("shutdown closes idle connections and lets an answer under way finish") {
    Fixture fixture;
    HttpClient idle(fixture.server.address());
    CHECK(idle.get("/").status == 200);
    HttpClient busy(fixture.server.address(), 64 * 1024);
    busy.send("GET /stream?pieces=300 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(busy.skip(1));
    auto done = fixture.server.shut_down(60s);
    CHECK(idle.at_end());
    CHECK(done.wait_for(0s) == std::future_status::timeout);
    CHECK_THROWS(HttpClient(fixture.server.address()));
    CHECK(busy.skip(300 * piece_size));
    CHECK(busy.at_end());
    busy.close();
    CHECK(done.wait_for(10s) == std::future_status::ready);
}

TEST_CASE("shutdown ends what is not done within the grace period") {
    Fixture fixture;
    HttpClient stalled(fixture.server.address(), 64 * 1024);
    ask_for_too_much(stalled);
    HttpClient waiting(fixture.server.address());
    waiting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(fixture.seen->waiting.get_future().wait_for(10s) == std::future_status::ready);
    auto done = fixture.server.shut_down(50ms);
    REQUIRE(done.wait_for(10s) == std::future_status::ready);
    CHECK(fixture.seen->wait_cancelled);
    CHECK(waiting.at_end());
    CHECK(waiting.receive().status == 0);
    CHECK_FALSE(stalled.receive().complete);
}

TEST_CASE("a server may go without having been shut down") {
    asio::io_context context{1};
    auto server = std::make_unique<HttpServer>(
        context,
        [seen = std::make_shared<Seen>()](const HttpRequest& request) {
            return answer(seen, request);
        },
        HttpServer::Limits{});
    const auto address = server->listen("127.0.0.1:0");
    HttpClient client(address);
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    context.poll();
    server.reset();
    context.poll();
    CHECK(client.at_end());
}

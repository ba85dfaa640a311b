// The HTTP server against clients that send too much, too slowly, or never read.
#include "exporter/server/server.hpp"

#include "tests/exporter/server/scripted_handler.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <string>

using namespace sonde::exporter;
using namespace sonde::exporter::test;
using namespace std::chrono_literals;

TEST_CASE("headers and bodies have limits") {
    HttpServer::Limits limits;
    limits.header_bytes = 1024;
    limits.body_bytes = 4096;
    Fixture fixture(limits);
    const auto request_of = [](std::size_t padding) {
        return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(padding, 'x') + "\r\n\r\n";
    };
    {
        HttpClient client(fixture.server.address());
        client.send(request_of(900));
        CHECK(client.receive().status == 200);
        client.send(request_of(2000));
        CHECK(client.receive().status == 431);
        CHECK(client.at_end());
    }
    {
        HttpClient client(fixture.server.address());  // a header that never ends
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x'));
        CHECK(client.receive().status == 431);
    }
    {
        HttpClient client(fixture.server.address());  // sends all of it before it reads
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" +
                    std::string(100'000, 'x'));
        const auto got = client.receive();
        CHECK(got.status == 413);
        CHECK(got.body.find("4096") != std::string::npos);
        client.close();
    }
    {
        HttpClient client(fixture.server.address());
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" +
                    std::string(5000, 'x') + "\r\n0\r\n\r\n");
        CHECK(client.receive().status == 413);
    }
    HttpClient client(fixture.server.address());
    CHECK(client.get("/still-there").status == 200);
}

TEST_CASE("a slow request is answered with 408, an idle connection is closed without a word") {
    HttpServer::Limits impatient;
    impatient.request = 1s;
    Fixture fixture(impatient);
    HttpClient slow(fixture.server.address());
    HttpClient slow_body(fixture.server.address());
    slow.send("GET / HTT");
    slow_body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
    CHECK(slow.receive().status == 408);
    CHECK(slow.at_end());
    CHECK(slow_body.receive().status == 408);

    HttpServer::Limits thrifty;
    thrifty.idle = 1s;
    Fixture other(thrifty);
    HttpClient idle(other.server.address());
    CHECK(idle.receive().status == 0);
    CHECK(idle.at_end());
}

TEST_CASE("over the limit of connections is 503, and room is used again") {
    HttpServer::Limits limits;
    limits.connections = 2;
    Fixture fixture(limits);
    HttpClient first(fixture.server.address());
    CHECK(first.get("/").status == 200);
    HttpClient second(fixture.server.address());
    CHECK(second.get("/", "Connection: close\r\n").status == 200);
    CHECK(second.at_end());
    second.close();
    HttpClient third(fixture.server.address(), 64 * 1024);
    ask_for_too_much(third);
    REQUIRE(third.skip(1024));
    ask_for_too_much(first);
    REQUIRE(first.skip(1024));
    HttpClient fourth(fixture.server.address());
    const auto refused = fourth.receive();
    CHECK(refused.status == 503);
    CHECK(refused.field("retry-after") == "1");
}

TEST_CASE("where all places are taken the longest idle connection makes room") {
    HttpServer::Limits limits;
    limits.connections = 2;
    Fixture fixture(limits);
    HttpClient first(fixture.server.address());
    CHECK(first.get("/").status == 200);
    HttpClient second(fixture.server.address());
    CHECK(second.get("/").status == 200);
    HttpClient third(fixture.server.address());
    CHECK(third.get("/").status == 200);
    CHECK(first.at_end());
    CHECK(second.get("/again").status == 200);
}

TEST_CASE("few answers are made piece by piece at once") {
    HttpServer::Limits limits;
    limits.streams = 1;
    Fixture fixture(limits);
    HttpClient reader(fixture.server.address(), 64 * 1024);
    ask_for_too_much(reader);
    REQUIRE(reader.skip(1024));
    HttpClient other(fixture.server.address());
    const auto refused = other.get("/stream?pieces=3");
    CHECK(refused.status == 503);
    CHECK(refused.field("retry-after") == "1");
    CHECK(other.get("/").status == 200);
    reader.reset();
    // The place is free again once the server has noticed.
    unsigned status = 503;
    for (int i = 0; i < 1000 && status != 200; ++i) {
        status = static_cast<unsigned>(other.get("/stream?pieces=3").status);
    }
    CHECK(status == 200);
}

TEST_CASE("the next piece is made only when the last was taken") {
    Fixture fixture;
    HttpClient reader(fixture.server.address(), 64 * 1024);
    ask_for_too_much(reader);
    REQUIRE(reader.skip(1024 * 1024));
    HttpClient other(fixture.server.address());
    for (int turn = 0; turn < 200; ++turn) {
        REQUIRE(other.get("/").status == 200);  // the server has had time, and serves others
    }
    // What the kernel holds of a stalled connection is a few MiB.
    CHECK(fixture.seen->pieces * piece_size < 32 * 1024 * 1024);
    reader.reset();
    REQUIRE(fixture.seen->source_gone.get_future().wait_for(10s) == std::future_status::ready);
    CHECK(other.get("/after").status == 200);
}

TEST_CASE("a client that does not read is let go") {
    HttpServer::Limits limits;
    limits.write = 1s;
    Fixture fixture(limits);
    HttpClient client(fixture.server.address(), 64 * 1024);
    ask_for_too_much(client);
    REQUIRE(fixture.seen->source_gone.get_future().wait_for(10s) == std::future_status::ready);
    CHECK_FALSE(client.receive().complete);
}

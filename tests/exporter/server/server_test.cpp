// The HTTP server against raw sockets: framing, limits, timeouts, rude clients, shutdown.
#include "exporter/server/server.hpp"

#include "tests/exporter/server/http_client.hpp"
#include "tests/exporter/server/running_server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;
using namespace sonde::exporter;
using test::HttpClient;
using test::RunningServer;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t piece_size = 64 * 1024;

/// What the tests see of the handler's side.
struct Seen {
    std::atomic<std::size_t> pieces = 0;
    std::promise<void> source_gone;  // the first
    std::once_flag first_gone;
    std::promise<void> waiting;
    std::atomic<bool> wait_cancelled = false;
};

class Pieces final : public BodySource {
public:
    Pieces(std::shared_ptr<Seen> seen, std::size_t count, std::size_t fail_at)
        : seen_(std::move(seen)),
          count_(count),
          fail_at_(fail_at) {}

    ~Pieces() override {
        std::call_once(seen_->first_gone, [this] { seen_->source_gone.set_value(); });
    }

    bool next(std::string& out) override {
        const auto number = ++seen_->pieces;
        if (number == fail_at_) {
            throw std::runtime_error("the source is broken");
        }
        out.append(piece_size, static_cast<char>('a' + number % 26));
        return number < count_;
    }

private:
    std::shared_ptr<Seen> seen_;
    std::size_t count_;
    std::size_t fail_at_;
};

struct WaitCancelled {
    std::shared_ptr<Seen> seen;

    ~WaitCancelled() { seen->wait_cancelled = true; }
};

asio::awaitable<void> wait_until_cancelled(std::shared_ptr<Seen> seen) {
    const WaitCancelled tell{seen};
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    seen->waiting.set_value();
    co_await timer.async_wait(asio::use_awaitable);
}

std::size_t number(const HttpRequest& request, std::string_view name) {
    const auto text = request.parameter(name);
    return text ? std::stoul(std::string(*text)) : 0;
}

asio::awaitable<HttpResponse> answer(std::shared_ptr<Seen> seen, const HttpRequest& request) {
    HttpResponse response;
    if (request.path == "/stream") {
        response.source =
            std::make_unique<Pieces>(seen, number(request, "pieces"), number(request, "fail_at"));
    } else if (request.path == "/throw") {
        throw std::runtime_error("a bug in a handler");
    } else if (request.path == "/wait") {
        co_await wait_until_cancelled(seen);
    } else if (request.path == "/empty") {
        response.status = 204;
    } else {
        response.headers.emplace_back("X-Test", "yes");
        response.body = request.method + " " + request.path;
        for (const auto& [key, value] : request.query) {
            response.body += " " + key + "=" + value;
        }
        response.body += " " + request.body;
    }
    co_return response;
}

struct Fixture {
    explicit Fixture(HttpServer::Limits limits = {}, const std::string& listen_on = "127.0.0.1:0")
        : server([state = seen](const HttpRequest& request) { return answer(state, request); },
                 limits,
                 listen_on) {}

    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
    RunningServer server;
};

}  // namespace

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
    third.send("GET /stream?pieces=16384 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(third.skip(1024));
    first.send("GET /stream?pieces=16384 HTTP/1.1\r\nHost: a\r\n\r\n");
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
    reader.send("GET /stream?pieces=16384 HTTP/1.1\r\nHost: a\r\n\r\n");
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
    reader.send("GET /stream?pieces=16384 HTTP/1.1\r\nHost: a\r\n\r\n");  // 1 GiB
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
    client.send("GET /stream?pieces=16384 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(fixture.seen->source_gone.get_future().wait_for(10s) == std::future_status::ready);
    CHECK_FALSE(client.receive().complete);
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
    stalled.send("GET /stream?pieces=16384 HTTP/1.1\r\nHost: a\r\n\r\n");
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

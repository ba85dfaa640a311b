#include "probes/net/stream.hpp"

#include "tests/support/kernel_timestamps.hpp"
#include "tests/support/scripted_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

namespace asio = boost::asio;
using namespace sonde::probes::net;
using namespace sonde::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

Endpoint loopback(std::uint16_t port, const char* address = "127.0.0.1") {
    Endpoint endpoint = Endpoint::from_literal(address).value();
    endpoint.set_port(port);
    return endpoint;
}

struct Loop {
    asio::io_context context{1};
    Reactor reactor{context};
    const Clock& clock = Clock::system();

    void run(asio::awaitable<void> task) {
        std::exception_ptr failed;
        asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) {
            failed = error;
            reactor.close();
        });
        context.run();
        if (failed) {
            std::rethrow_exception(failed);
        }
    }
};

asio::awaitable<boost::system::error_code> connect(Stream& stream, Endpoint peer, TcpInfo& info) {
    IoResult io = stream.connect(peer);
    while (io.wait) {
        const auto [aborted] = co_await stream.ready(*io.wait, tuple);
        if (aborted) {
            co_return aborted;
        }
        io = stream.connected(info);
    }
    co_return io.error;
}

asio::awaitable<IoResult> read(Stream& stream, std::span<char> buffer) {
    for (;;) {
        const IoResult io = stream.read(buffer);
        if (!io.wait) {
            co_return io;
        }
        const auto [aborted] = co_await stream.ready(*io.wait, tuple);
        if (aborted) {
            co_return IoResult::failed(aborted);
        }
    }
}

asio::awaitable<void> exchange(Loop& loop, Endpoint peer) {
    Stream stream{loop.reactor, loop.clock};
    TcpInfo info;
    const auto error = co_await connect(stream, peer, info);
    REQUIRE_FALSE(error);
    CHECK(info.rtt > 0us);
    CHECK(info.retransmits == 0);
    const std::string request = "GET / HTTP/1.0\r\n\r\n";
    CHECK(stream.write(request).bytes == request.size());
    std::array<char, 64> buffer{};
    IoResult io = co_await read(stream, buffer);
    CHECK(std::string_view(buffer.data(), io.bytes) == "hello");
    CHECK(stream.arrival_from_kernel());
    CHECK(stream.arrival() <= loop.clock.now());
    REQUIRE(stream.path());
    CHECK(stream.path()->rtt > 0us);
    io = co_await read(stream, buffer);
    CHECK(io.error == asio::error::eof);
    stream.close();
    CHECK_FALSE(stream.path());
}

asio::awaitable<void> expect_refused(Loop& loop, Endpoint peer) {
    Stream stream{loop.reactor, loop.clock};
    TcpInfo info;
    const auto error = co_await connect(stream, peer, info);
    CHECK(error == boost::system::errc::connection_refused);
}

asio::awaitable<void> expect_reset(Loop& loop, Endpoint peer) {
    Stream stream{loop.reactor, loop.clock};
    TcpInfo info;
    const auto error = co_await connect(stream, peer, info);
    REQUIRE_FALSE(error);
    CHECK(stream.write(std::string_view{"x\r\n\r\n"}).bytes == 5);
    std::array<char, 8> buffer{};
    const IoResult io = co_await read(stream, buffer);
    CHECK(io.error == boost::system::errc::connection_reset);
}

asio::awaitable<void> read_late(Loop& loop, Endpoint peer, Latch& sent) {
    Stream stream{loop.reactor, loop.clock};
    TcpInfo info;
    const auto error = co_await connect(stream, peer, info);
    REQUIRE_FALSE(error);
    REQUIRE(sent.wait());
    // The bytes are in the kernel now; this reader is late, as one on a busy machine would be.
    const TimePoint in_kernel = loop.clock.now();
    while (loop.clock.now() < in_kernel + 30ms) {
    }
    std::array<char, 8> buffer{};
    const IoResult io = co_await read(stream, buffer);
    REQUIRE(io.bytes == 5);
    CHECK(stream.arrival_from_kernel());
    CHECK(loop.clock.now() - stream.arrival() >= 30ms);
}

asio::awaitable<void> wait_forever(Loop& loop, Endpoint peer, boost::system::error_code& ended) {
    Stream stream{loop.reactor, loop.clock};
    TcpInfo info;
    ended = co_await connect(stream, peer, info);
}

}  // namespace

TEST_CASE("a stream exchanges bytes and knows the kernel's times, over IPv4 and IPv6") {
    await_kernel_timestamps();
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
        ScriptedServer server{{{step::read_request(), step::send("hello")}}, family};
        Loop loop;
        loop.run(
            exchange(loop, loopback(server.port(), family == IpFamily::v4 ? "127.0.0.1" : "::1")));
    }
}

TEST_CASE("a refused connection and a reset are told apart") {
    RefusedPort port;
    Loop loop;
    loop.run(expect_refused(loop, loopback(port.port())));
    ScriptedServer server{{{step::read_request(), step::reset()}}};
    Loop second;
    second.run(expect_reset(second, loopback(server.port())));
}

TEST_CASE("a late reader sees when the bytes arrived, not when it came") {
    await_kernel_timestamps();
    Latch sent;
    ScriptedServer server{
        {{step::send_pieces({"hello"}), step::signal(sent), step::wait_for_close()}}};
    Loop loop;
    loop.run(read_late(loop, loopback(server.port()), sent));
}

TEST_CASE("a wait that is cancelled completes with operation_aborted") {
    BlackHole hole;
    Loop loop;
    boost::system::error_code ended;
    asio::cancellation_signal cancel;
    bool done = false;
    asio::co_spawn(loop.context,
                   wait_forever(loop, loopback(hole.port()), ended),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) {
                       done = true;
                       loop.reactor.close();
                   }));
    Alarm soon{loop.reactor, [&] {
                   CHECK_FALSE(done);
                   cancel.emit(asio::cancellation_type::terminal);
               }};
    soon.set(loop.clock.now());
    loop.context.run();
    CHECK(done);
    CHECK(ended == asio::error::operation_aborted);
}

TEST_CASE("endpoints read and write addresses") {
    CHECK(Endpoint::from_literal("192.0.2.1")->text() == "192.0.2.1:0");
    auto v6 = Endpoint::from_literal("2001:db8::1");
    v6->set_port(443);
    CHECK(v6->text() == "[2001:db8::1]:443");
    CHECK(v6->bytes().size() == 16);
    CHECK(Endpoint::from_literal("fe80::1%lo")->is_v6());
    CHECK(Endpoint::from_literal("fe80::1%7")->is_v6());
    CHECK_FALSE(Endpoint::from_literal("fe80::1%no-such-interface"));
    CHECK_FALSE(Endpoint::from_literal("shop.example"));
    CHECK_FALSE(Endpoint::from_literal("192.0.2.1%lo"));
    CHECK_FALSE(Endpoint::from_literal(""));
}

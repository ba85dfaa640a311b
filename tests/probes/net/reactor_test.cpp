#include "probes/net/reactor.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>

namespace asio = boost::asio;
using namespace sonde::probes::net;
using namespace std::chrono_literals;

namespace {

TimePoint in(std::chrono::nanoseconds length) {
    return Clock::system().now() + length;
}

}  // namespace

TEST_CASE("reactor: alarms ring in order, once, at their time or later") {
    asio::io_context context{1};
    Reactor reactor{context};
    std::string rung;
    const TimePoint second_at = in(5ms);
    Alarm third{reactor, [&] {
                    rung += '3';
                    reactor.close();
                }};
    Alarm second{reactor, [&] {
                     rung += '2';
                     CHECK(Clock::system().now() >= second_at);
                     CHECK_FALSE(second.at());
                     third.set(in(1ms));
                 }};
    Alarm first{reactor, [&] {
                    rung += '1';
                    second.set(second_at);
                }};
    Alarm cleared{reactor, [&] {
                      rung += 'x';
                  }};
    first.set(in(0ms));
    cleared.set(in(0ms));
    cleared.clear();
    context.run();
    CHECK(rung == "123");
}

TEST_CASE("reactor: an alarm may destroy others") {
    asio::io_context context{1};
    Reactor reactor{context};
    bool rung = false;
    std::unique_ptr<Alarm> other;
    Alarm alarm{reactor, [&] {
                    rung = true;
                    other.reset();
                    reactor.close();
                }};
    other = std::make_unique<Alarm>(reactor, [] { FAIL("it is gone"); });
    const TimePoint now = in(0ms);
    alarm.set(now);
    other->set(now + 1ns);
    context.run();
    CHECK(rung);
}

TEST_CASE("reactor: a post from another thread ends the wait") {
    asio::io_context context{1};
    Reactor reactor{context};
    std::thread::id ran_on;
    std::jthread other;
    Alarm start{reactor, [&] {
                    other = std::jthread{[&] {
                        reactor.post([&] {
                            ran_on = std::this_thread::get_id();
                            reactor.close();
                        });
                    }};
                }};
    start.set(in(0ms));
    context.run();
    CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("reactor: handlers that post themselves again and again keep no alarm waiting") {
    asio::io_context context{1};
    Reactor reactor{context};
    bool rung = false;
    std::function<void()> again = [&] {
        if (!rung) {
            asio::post(context, again);
        }
    };
    Alarm alarm{reactor, [&] {
                    rung = true;
                    reactor.close();
                }};
    alarm.set(in(1ms));
    asio::post(context, again);
    context.run();
    CHECK(rung);
}

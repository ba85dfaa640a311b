#include "exporter/plan/reloads.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
using sonde::exporter::Reloads;
using sonde::exporter::TaskGroup;
using Errors = std::optional<std::string>;

namespace {

/// Reloads that end when the test says so.
struct Fixture {
    asio::awaitable<Errors> reload(std::string why) {
        begun.push_back(why);
        if (why == "throws") {
            throw std::runtime_error("no memory");
        }
        const auto waited = co_await gate.async_wait(asio::as_tuple(asio::use_awaitable));
        static_cast<void>(waited);
        co_return why == "bad" ? Errors{"line 3"} : std::nullopt;
    }

    void request(std::string why) {
        asio::co_spawn(context, reloads.request(std::move(why)), [this](auto, Errors errors) {
            answers.push_back(errors.value_or("good"));
        });
    }

    void poll() {
        context.restart();
        context.poll();
    }

    void let_one_end() {
        poll();
        gate.cancel();
        poll();
    }

    asio::io_context context{1};
    asio::steady_timer gate{context, asio::steady_timer::time_point::max()};
    std::vector<std::string> begun;
    std::vector<std::string> answers;
    TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                        FAIL("no task may throw");
                    }};
    Reloads reloads{context.get_executor(), tasks, [this](std::string why) {
                        return reload(std::move(why));
                    }};
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("reloads: requests before the start share one") {
    Fixture test;
    test.request("SIGHUP");
    test.request("POST");
    test.poll();
    CHECK(test.begun.empty());
    test.reloads.open();
    test.let_one_end();
    CHECK(test.begun == Texts{"SIGHUP"});
    CHECK(test.answers == Texts{"good", "good"});
}

TEST_CASE("reloads: what comes during one waits for the next, together") {
    Fixture test;
    test.reloads.open();
    test.request("first");
    test.poll();
    for (int i = 0; i < 100; ++i) {
        test.request("bad");
    }
    test.let_one_end();
    CHECK(test.answers == Texts{"good"});
    test.let_one_end();
    CHECK(test.begun == Texts{"first", "bad"});
    CHECK(test.answers.size() == 101);
    CHECK(test.answers.back() == "line 3");
}

TEST_CASE("reloads: an exception is an error, and the next one runs") {
    Fixture test;
    test.reloads.open();
    test.request("throws");
    test.poll();
    CHECK(test.answers == Texts{"the reload ended early: no memory\n"});
    test.request("good");
    test.let_one_end();
    CHECK(test.answers.back() == "good");
}

TEST_CASE("reloads: closing ends those who wait and joins the one under way") {
    Fixture test;
    test.reloads.open();
    test.request("first");
    test.poll();
    test.request("second");
    test.poll();
    bool closed = false;
    asio::co_spawn(test.context, test.reloads.close(), [&](std::exception_ptr) { closed = true; });
    test.poll();
    CHECK_FALSE(closed);
    CHECK(test.answers == Texts{"Sonde is shutting down\n"});
    test.let_one_end();
    CHECK(closed);
    CHECK(test.answers.back() == "good");
    test.request("late");
    test.poll();
    CHECK(test.answers.back() == "Sonde is shutting down\n");
    CHECK(test.begun == Texts{"first"});
}

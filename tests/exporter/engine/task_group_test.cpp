// TaskGroup: start, cancel, join, and what happens to exceptions.
#include "exporter/engine/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
using sonde::exporter::TaskGroup;

namespace {

struct Fixture {
    asio::io_context context{1};
    std::vector<std::string> errors;
    TaskGroup group{context.get_executor(), [this](std::exception_ptr error) {
                        try {
                            std::rethrow_exception(error);
                        } catch (const std::exception& thrown) {
                            errors.emplace_back(thrown.what());
                        }
                    }};
    bool joined = false;
};

asio::awaitable<void> set(bool& flag) {
    flag = true;
    co_return;
}

asio::awaitable<void> wait_forever(bool& ended_by_abort) {
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    ended_by_abort = error == asio::error::operation_aborted;
}

/// Ignores the error of its wait, as as_tuple invites to: the group must end it all the same.
asio::awaitable<void> loop_forever(int& turns) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (true) {
        ++turns;
        timer.expires_at(asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

asio::awaitable<void> fail(std::string why) {
    throw std::runtime_error(why);
    co_return;
}

asio::awaitable<void> abort_itself() {
    throw boost::system::system_error(asio::error::operation_aborted);
    co_return;
}

asio::awaitable<void> join(TaskGroup& group, bool& joined) {
    co_await group.join();
    joined = true;
}

asio::awaitable<void> cancel_group(TaskGroup& group) {
    group.cancel();
    co_return;
}

asio::awaitable<void> spawn_then_end(TaskGroup& group, bool& flag) {
    group.spawn(set(flag));
    co_return;
}

void start_join(Fixture& fixture) {
    asio::co_spawn(fixture.context,
                   join(fixture.group, fixture.joined),
                   [](std::exception_ptr error) { CHECK_FALSE(error); });
}

}  // namespace

TEST_CASE("a task group runs its tasks and is empty afterwards") {
    Fixture fixture;
    bool ran = false;
    fixture.group.spawn(set(ran));
    CHECK_FALSE(ran);
    CHECK(fixture.group.size() == 1);
    start_join(fixture);
    fixture.context.run();
    CHECK(ran);
    CHECK(fixture.joined);
    CHECK(fixture.group.size() == 0);
    CHECK(fixture.errors.empty());
}

TEST_CASE("joining an empty task group completes at once") {
    Fixture fixture;
    start_join(fixture);
    fixture.context.run();
    CHECK(fixture.joined);
}

TEST_CASE("cancel ends waits, loops and tasks that have not begun, and join sees them all off") {
    Fixture fixture;
    bool aborted = false;
    int turns = 0;
    fixture.group.spawn(wait_forever(aborted));
    fixture.group.spawn(loop_forever(turns));
    start_join(fixture);
    fixture.context.poll();
    CHECK(turns == 1);
    CHECK_FALSE(fixture.joined);

    int late_turns = 0;
    fixture.group.spawn(loop_forever(late_turns));
    fixture.group.cancel();
    fixture.context.run();
    CHECK(aborted);
    CHECK(turns == 2);  // its wait reported the abort, the next one threw it
    CHECK(late_turns == 0);
    CHECK(fixture.joined);
    CHECK(fixture.group.size() == 0);
    CHECK(fixture.errors.empty());
}

TEST_CASE("a task may cancel its own group") {
    Fixture fixture;
    bool aborted = false;
    fixture.group.spawn(wait_forever(aborted));
    fixture.context.poll();
    fixture.group.spawn(cancel_group(fixture.group));
    start_join(fixture);
    fixture.context.run();
    CHECK(aborted);
    CHECK(fixture.joined);
}

TEST_CASE("nothing starts after cancel") {
    Fixture fixture;
    bool ran = false;
    fixture.group.cancel();
    fixture.group.spawn(set(ran));
    fixture.context.run();
    CHECK_FALSE(ran);
    CHECK(fixture.group.size() == 0);
}

TEST_CASE("join waits for tasks that tasks have started") {
    Fixture fixture;
    bool inner = false;
    fixture.group.spawn(spawn_then_end(fixture.group, inner));
    start_join(fixture);
    fixture.context.run();
    CHECK(inner);
    CHECK(fixture.joined);
}

TEST_CASE("exceptions of tasks are told, an abort that nobody asked for too") {
    Fixture fixture;
    fixture.group.spawn(fail("first"));
    fixture.context.run();
    REQUIRE(fixture.errors.size() == 1);
    CHECK(fixture.errors[0] == "first");

    fixture.group.spawn(abort_itself());
    fixture.context.restart();
    fixture.context.run();
    CHECK(fixture.errors.size() == 2);
}

TEST_CASE("an exception during cancellation is told, the abort itself is not") {
    Fixture fixture;
    bool aborted = false;
    fixture.group.spawn(wait_forever(aborted));
    fixture.context.poll();
    fixture.group.spawn(fail("while cancelling"));
    fixture.context.poll();
    fixture.group.cancel();
    fixture.context.run();
    CHECK(aborted);
    REQUIRE(fixture.errors.size() == 1);
    CHECK(fixture.errors[0] == "while cancelling");
}

TEST_CASE("a group may go before its tasks, and a context with tasks under way") {
    bool aborted = false;
    {
        asio::io_context context{1};
        {
            TaskGroup group(context.get_executor(),
                            [](std::exception_ptr) { FAIL("told an error"); });
            group.spawn(wait_forever(aborted));
            context.poll();
        }
        context.run();
        CHECK(aborted);
    }
    Fixture fixture;
    fixture.group.spawn(wait_forever(aborted));
    fixture.context.poll();
}

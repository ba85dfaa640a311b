#include "exporter/plan/reloads.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto never = asio::steady_timer::time_point::max;

}  // namespace

Reloads::Round::Round(const asio::any_io_executor& executor, std::string reason)
    : why(std::move(reason)),
      ended(executor, never()) {}

Reloads::Reloads(asio::any_io_executor executor, TaskGroup& tasks, Reload reload)
    : executor_(std::move(executor)),
      tasks_(tasks),
      reload_(std::move(reload)),
      idle_(executor_, never()) {}

asio::awaitable<std::optional<std::string>> Reloads::request(std::string why) {
    if (closed_) {
        co_return shutting_down;
    }
    if (!next_) {
        next_ = std::make_shared<Round>(executor_, std::move(why));
    }
    const std::shared_ptr<Round> round = next_;
    start();
    if (!round->done) {
        // Also completes when whoever asked is cancelled; the reload goes on without him.
        const auto waited = co_await round->ended.async_wait(tuple);
        static_cast<void>(waited);
    }
    co_return round->errors;
}

void Reloads::open() {
    open_ = true;
    start();
}

void Reloads::start() {
    if (open_ && !closed_ && !busy_ && next_) {
        busy_ = true;
        tasks_.spawn(run());
    }
}

asio::awaitable<void> Reloads::run() {
    while (next_ && !closed_) {
        const std::shared_ptr<Round> round = std::exchange(next_, nullptr);
        std::optional<std::string> errors = co_await attempt(round->why);
        end(*round, std::move(errors));
    }
    busy_ = false;
    idle_.cancel();
}

asio::awaitable<std::optional<std::string>> Reloads::attempt(std::string why) {
    std::string error;
    try {
        std::optional<std::string> errors = co_await reload_(std::move(why));
        co_return errors;
    } catch (const std::exception& thrown) {
        error = thrown.what();
    }
    co_return "the reload ended early: " + error + "\n";
}

asio::awaitable<void> Reloads::close() {
    closed_ = true;
    if (const std::shared_ptr<Round> round = std::exchange(next_, nullptr)) {
        end(*round, shutting_down);
    }
    if (busy_) {
        const auto waited = co_await idle_.async_wait(tuple);
        static_cast<void>(waited);
    }
}

void Reloads::end(Round& round, std::optional<std::string> errors) {
    round.done = true;
    round.errors = std::move(errors);
    round.ended.cancel();
}

}  // namespace sonde::exporter

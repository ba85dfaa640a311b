// Workers, runner and store together, with probes that check nothing: placement, reloads while
// checks run, and the end.
#include "exporter/engine/engine.hpp"

#include "exporter/engine/task_group.hpp"
#include "exporter/metrics/self_metrics.hpp"

#include "tests/exporter/plan/fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <map>
#include <string>

namespace asio = boost::asio;
using namespace sonde::exporter;
using sonde::exporter::test::PlanFiles;

namespace {

std::string targets(int from, int to, const std::string& host, const std::string& more = {}) {
    std::string text;
    for (int i = from; i < to; ++i) {
        text += "[[target]]\nname = \"t" + std::to_string(i) + "\"\nurl = \"http://" + host +
                "/\"\n" + more;
    }
    return text;
}

struct Bench {
    explicit Bench(sonde::config::Engine wanted) : settings(wanted) {}

    /// Applies each text as a plan, in order, each once `checks_between` more checks are done.
    asio::awaitable<void> play(std::vector<std::string> texts, std::uint64_t checks_between) {
        Engine engine{context, settings, store, self};
        for (const std::string& text : texts) {
            const auto before = files.plan;
            CHECK(files.errors_of("[defaults]\ninterval = \"100ms\"\n" + text) == "");
            const PlanDiff changes = diff(before.get(), *files.plan);
            co_await engine.apply(changes, *files.plan);
            const std::uint64_t wanted = checks() + checks_between;
            asio::steady_timer pause{context};
            while (checks() < wanted) {
                pause.expires_after(std::chrono::milliseconds{5});
                const auto waited = co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
                static_cast<void>(waited);
            }
            engine.refresh_self_metrics();
        }
        co_await engine.shut_down(std::chrono::seconds{1});
    }

    void run(std::vector<std::string> texts, std::uint64_t checks_between = 50) {
        std::exception_ptr failed;
        asio::co_spawn(context,
                       play(std::move(texts), checks_between),
                       [&](std::exception_ptr error) { failed = error; });
        context.run();
        if (failed) {
            std::rethrow_exception(failed);
        }
    }

    std::uint64_t checks() const {
        std::uint64_t sum = 0;
        store.for_each([&](const MetricStore::State& state) {
            sum += state.successes + state.failures;
            return true;
        });
        return sum;
    }

    std::map<std::string, std::uint64_t> by_name() const {
        std::map<std::string, std::uint64_t> out;
        store.for_each([&](const MetricStore::State& state) {
            out[state.name] = state.successes + state.failures;
            return true;
        });
        return out;
    }

    sonde::config::Engine settings;
    asio::io_context context{1};
    MetricStore store{{0.1, 1}, {}};
    SelfMetrics self{"0", 4};
    PlanFiles files;
};

sonde::config::Engine workers(int count) {
    sonde::config::Engine settings;
    settings.workers = count;
    return settings;
}

}  // namespace

TEST_CASE("engine: every target is checked, on any number of workers") {
    for (const int count : {1, 2, 4}) {
        Bench bench{workers(count)};
        bench.run({targets(0, 40, "a.example") + targets(40, 45, "b.example")}, 200);
        const auto checks = bench.by_name();
        CHECK(checks.size() == 45);
        for (const auto& [name, number] : checks) {
            CHECK(number >= 1);
        }
    }
}

TEST_CASE("engine: no more workers than checks at once") {
    sonde::config::Engine settings = workers(8);
    settings.max_in_flight = 3;
    CHECK(Engine::worker_count(settings) == 3);
}

TEST_CASE("engine: reloads while checks run add, change, move and remove targets") {
    Bench bench{workers(4)};
    bench.run({
        targets(0, 30, "a.example"),
        targets(0, 30, "b.example"),                                   // all move
        targets(0, 30, "b.example", "labels = { team = \"web\" }\n"),  // all change
        targets(0, 10, "b.example") + targets(30, 90, "c.example"),    // some stay, c is split
        targets(85, 90, "c.example"),
    });
    const auto checks = bench.by_name();
    CHECK(checks.size() == 5);
    for (const auto& [name, number] : checks) {
        CHECK(number >= 1);
    }
}

TEST_CASE("engine: one that is not shut down ends its workers all the same") {
    asio::io_context context{1};
    MetricStore store{{1}, {}};
    SelfMetrics self{"0", 2};
    const Engine engine{context, workers(2), store, self};
}

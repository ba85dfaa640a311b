#include "exporter/engine/scheduler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

using namespace sonde;
using namespace std::chrono_literals;
using exporter::Job;
using exporter::Scheduler;
using exporter::SkipReason;
using TimePoint = Scheduler::TimePoint;

namespace {

const exporter::TimeAnchor anchor{TimePoint{5000s}, probes::net::UnixTime{1'800'000'000s}};

std::shared_ptr<const Job> job(std::string name,
                               std::chrono::nanoseconds interval,
                               const std::string& url = "http://127.0.0.1:80/") {
    auto made = std::make_shared<Job>();
    std::string error;
    made->target = {std::move(name), probes::Url::parse(url, error).value()};
    made->interval = interval;
    return made;
}

/// A scheduler whose checks start and end by hand, in simulated time.
struct Bench {
    explicit Bench(std::size_t max_in_flight = 1000)
        : scheduler(anchor,
                    now,
                    max_in_flight,
                    {[this](auto index, TimePoint due) {
                         const auto id = scheduler.id(index);
                         running.insert(index);
                         starts[id].push_back(now);
                         dues[id].push_back(due);
                         started_in_order.push_back(due);
                     },
                     [this](auto id, SkipReason reason) {
                         ++skips[{id, reason}];
                     }}) {}

    void run_until(TimePoint end, bool finish_at_once = true) {
        while (scheduler.next_wakeup() && *scheduler.next_wakeup() <= end) {
            now = *scheduler.next_wakeup();
            advance();
            if (finish_at_once) {
                finish_all();
            }
        }
        now = end;
    }

    void advance() {
        do {
            scheduler.advance(now);
        } while (scheduler.next_wakeup() && *scheduler.next_wakeup() <= now);
    }

    void finish_all() {
        while (!running.empty()) {
            finish(*running.begin());
        }
    }

    void finish(Scheduler::Index index, bool failed = false) {
        running.erase(index);
        scheduler.finished(
            index, now, failed ? exporter::CheckEnd::failure : exporter::CheckEnd::success);
    }

    TimePoint now = anchor.monotonic;
    std::set<Scheduler::Index> running;
    std::map<exporter::MetricStore::Id, std::vector<TimePoint>> starts;
    std::map<exporter::MetricStore::Id, std::vector<TimePoint>> dues;
    std::vector<TimePoint> started_in_order;  // their due times
    std::map<std::pair<exporter::MetricStore::Id, SkipReason>, int> skips;
    Scheduler scheduler;
};

}  // namespace

TEST_CASE("24 hours at 1 s: every check on its phase, no drift") {
    Bench bench;
    bench.scheduler.add(job("shop", 1s), 0, 20, bench.now);
    bench.run_until(anchor.monotonic + 24h);
    const auto& dues = bench.dues[0];
    CHECK(dues.size() == 86'400);
    const auto phase = exporter::phase_of("shop", 1s);
    for (const TimePoint due : dues) {
        const auto unix_due = anchor.unix_time.time_since_epoch() + (due - anchor.monotonic);
        REQUIRE(unix_due % 1s == phase);
    }
    for (std::size_t i = 0; i < dues.size(); ++i) {
        REQUIRE(bench.starts[0][i] - dues[i] < 1ms);
    }
    CHECK(bench.skips.empty());
}

TEST_CASE("phases are spread evenly over the interval") {
    std::array<int, 10> tenths{};
    for (int i = 0; i < 10'000; ++i) {
        const auto phase =
            exporter::phase_of("https://site-" + std::to_string(i) + ".example/", 30s);
        ++tenths[static_cast<std::size_t>(phase / 3s)];
    }
    for (const int count : tenths) {
        CHECK(count > 850);
        CHECK(count < 1150);
    }
}

TEST_CASE("the first check comes within 30 s, then on phase, also at long intervals") {
    Bench bench;
    for (std::uint32_t id = 0; id < 200; ++id) {
        bench.scheduler.add(job("t" + std::to_string(id), 1h), id, 20, bench.now);
    }
    bench.run_until(anchor.monotonic + 30s);
    CHECK(bench.starts.size() == 200);
    bench.run_until(anchor.monotonic + 4h);
    for (std::uint32_t id = 0; id < 200; ++id) {
        const auto& dues = bench.dues[id];
        REQUIRE(dues.size() >= 4);
        for (std::size_t i = 1; i < dues.size(); ++i) {
            const auto unix_due =
                anchor.unix_time.time_since_epoch() + (dues[i] - anchor.monotonic);
            CHECK(unix_due % 1h == exporter::phase_of("t" + std::to_string(id), 1h));
        }
    }
    CHECK(bench.skips.empty());
}

TEST_CASE("a check that is still under way makes the next one skip as overrun") {
    Bench bench;
    const auto index = bench.scheduler.add(job("slow", 1s), 3, 20, bench.now);
    bench.run_until(anchor.monotonic + 5s, false);
    CHECK(bench.starts[3].size() == 1);
    bench.now += 200ms;  // too late for the last of the four that came due meanwhile
    bench.finish(index);
    CHECK(bench.skips[{3, SkipReason::overrun}] == 4);
    bench.run_until(anchor.monotonic + 6s);
    CHECK(bench.starts[3].size() == 2);
}

TEST_CASE("a check that started late for lack of room makes the next one skip as overload") {
    Bench bench{1};
    bench.scheduler.add(job("first", 1s), 1, 20, bench.now);
    bench.run_until(*bench.scheduler.next_wakeup(), false);
    bench.scheduler.add(job("late", 1s), 2, 20, bench.now);
    const TimePoint due = *bench.scheduler.next_wakeup();
    bench.run_until(due, false);
    REQUIRE(bench.started_in_order.size() == 1);
    bench.now = due + 700ms;
    bench.advance();
    bench.finish(*bench.running.begin());  // "late" starts, after 700 ms
    REQUIRE(bench.starts[2].size() == 1);
    bench.run_until(due + 1s, false);
    bench.now = due + 1500ms;
    bench.advance();

    SUBCASE("and took less than its interval") {
        bench.finish(*bench.running.begin());
        CHECK(bench.skips[{2, SkipReason::overload}] == 1);
        CHECK(bench.skips[{2, SkipReason::overrun}] == 0);
    }
    SUBCASE("but would have been too long at any rate") {
        bench.now = due + 1900ms;
        bench.advance();
        bench.finish(*bench.running.begin());
        CHECK(bench.skips[{2, SkipReason::overload}] == 0);
        CHECK(bench.skips[{2, SkipReason::overrun}] == 1);
    }
}

TEST_CASE("a check that times out with its interval does not cost the next one") {
    Bench bench;
    const auto index = bench.scheduler.add(job("hangs", 1s), 3, 20, bench.now);
    bench.run_until(*bench.scheduler.next_wakeup() + 1ms, false);
    for (int i = 1; i <= 10; ++i) {
        REQUIRE(bench.starts[3].size() == static_cast<std::size_t>(i));
        bench.run_until(bench.starts[3].back() + 1s, false);  // the next comes due
        bench.now += 1ms;
        bench.finish(index);
    }
    CHECK(bench.skips.empty());
    for (std::size_t i = 1; i < bench.dues[3].size(); ++i) {
        CHECK(bench.dues[3][i] - bench.dues[3][i - 1] == 1s);
    }
}

TEST_CASE("a stall of the prober skips whole intervals as overload and keeps the phase") {
    Bench bench;
    bench.scheduler.add(job("t", 1s), 0, 20, bench.now);
    bench.run_until(anchor.monotonic + 1s);
    bench.now = anchor.monotonic + 11s;
    bench.advance();
    bench.finish_all();
    CHECK(bench.skips[{0, SkipReason::overload}] == 9);
    bench.run_until(anchor.monotonic + 12s);
    CHECK((bench.dues[0].back() - bench.dues[0].front()) % 1s == 0s);
}

TEST_CASE("the per-host cap holds back its host and nobody else") {
    Bench bench;
    for (std::uint32_t id = 0; id < 10; ++id) {
        bench.scheduler.add(
            job("a" + std::to_string(id), 10s, "http://a.example/"), id, 2, bench.now);
    }
    bench.scheduler.add(job("b", 10s, "http://b.example/"), 99, 2, bench.now);
    bench.run_until(anchor.monotonic + 10s, false);
    CHECK(bench.scheduler.in_flight() == 3);
    CHECK(bench.starts.contains(99));
    while (!bench.running.empty()) {
        bench.finish(*bench.running.begin());
        CHECK(bench.scheduler.in_flight() <= 3);
    }
    CHECK(bench.starts.size() == 11);
}

TEST_CASE("the worker's cap queues in order, whatever the host") {
    Bench bench{1};
    for (std::uint32_t id = 0; id < 5; ++id) {
        bench.scheduler.add(
            job("t" + std::to_string(id), 10s, "http://h" + std::to_string(id) + "/"),
            id,
            20,
            bench.now);
    }
    bench.run_until(anchor.monotonic + 10s, false);
    while (!bench.running.empty()) {
        bench.finish(*bench.running.begin());
    }
    CHECK(bench.started_in_order.size() == 5);
    CHECK(std::ranges::is_sorted(bench.started_in_order));
    CHECK(bench.scheduler.in_flight() == 0);
}

TEST_CASE("a target that is removed while waiting or running frees its places") {
    Bench bench;
    std::vector<Scheduler::Index> indexes;
    for (std::uint32_t id = 0; id < 4; ++id) {
        indexes.push_back(
            bench.scheduler.add(job("t" + std::to_string(id), 10s), id, 1, bench.now));
    }
    bench.run_until(anchor.monotonic + 10s, false);
    REQUIRE(bench.running.size() == 1);
    const auto running = *bench.running.begin();
    for (const auto index : indexes) {
        bench.scheduler.remove(index);
    }
    CHECK_FALSE(bench.scheduler.is_live(running));
    bench.finish(running);
    CHECK(bench.running.empty());
    CHECK(bench.scheduler.in_flight() == 0);
    CHECK_FALSE(bench.scheduler.next_wakeup());
    bench.scheduler.add(job("new", 1s), 7, 1, bench.now);
    bench.run_until(bench.now + 1s);
    CHECK(bench.starts[7].size() == 1);
}

TEST_CASE(
    "new settings keep the phase, a new interval moves it, a new host counts from the next check") {
    Bench bench;
    const auto index = bench.scheduler.add(job("t", 10s, "http://old/"), 0, 1, bench.now);
    const auto due = *bench.scheduler.next_wakeup();
    bench.scheduler.replace(index, job("t", 10s, "http://new/"), 1, bench.now);
    CHECK(*bench.scheduler.next_wakeup() == due);
    bench.run_until(due, false);
    REQUIRE(bench.running.size() == 1);
    bench.scheduler.replace(index, job("t", 2s, "http://newer/"), 1, bench.now);
    bench.finish_all();
    bench.run_until(bench.now + 2s);
    CHECK(bench.starts[0].size() == 2);
    CHECK(bench.skips.empty());
}

TEST_CASE("a failed check is repeated at once as often as its target wants, until one succeeds") {
    Bench bench;
    auto confirmed = std::make_shared<Job>(*job("t", 1s));
    confirmed->confirmation.rechecks = 2;
    const auto index = bench.scheduler.add(confirmed, 7, 20, bench.now);
    const auto starts = [&] {
        return bench.starts[7].size();
    };
    const auto next_due = [&] {
        bench.run_until(*bench.scheduler.next_wakeup(), false);
    };
    next_due();
    for (std::size_t made = 1; made <= 3; ++made) {
        REQUIRE(starts() == made);
        bench.finish(index, true);
    }
    CHECK(starts() == 3);  // once and twice more
    next_due();
    bench.finish(index, true);
    CHECK(starts() == 4);  // it is known to be down
    next_due();
    bench.finish(index, false);
    next_due();
    bench.finish(index, true);
    CHECK(starts() == 7);
    bench.finish(index, false);
    CHECK(starts() == 7);
    CHECK(bench.skips.empty());
    CHECK((bench.dues[7][3] - bench.dues[7][0]) % 1s == 0s);
}

TEST_CASE("a recheck that is still under way takes the place of the check that came due") {
    Bench bench;
    auto confirmed = std::make_shared<Job>(*job("silent", 15s));
    confirmed->confirmation.rechecks = 2;
    confirmed->timeout = 10s;
    const auto index = bench.scheduler.add(confirmed, 7, 20, bench.now);
    bench.run_until(*bench.scheduler.next_wakeup(), false);
    for (std::size_t made = 1; made <= 3; ++made) {
        REQUIRE(bench.starts[7].size() == made);
        bench.run_until(bench.starts[7].back() + 10s, false);
        bench.finish(index, true);
    }
    CHECK(bench.skips.empty());
    CHECK(bench.starts[7][2] - bench.starts[7][0] == 20s);
}

TEST_CASE("what is due together starts one by one, so that what runs is seen to in between") {
    Bench bench;
    for (std::uint32_t id = 0; id < 3; ++id) {
        bench.scheduler.add(job("t", 1s), id, 20, bench.now);
    }
    bench.now = *bench.scheduler.next_wakeup();
    for (std::size_t started = 1; started <= 3; ++started) {
        CHECK(*bench.scheduler.next_wakeup() <= bench.now);
        bench.scheduler.advance(bench.now);
        CHECK(bench.running.size() == started);
    }
    CHECK(*bench.scheduler.next_wakeup() > bench.now);
}

TEST_CASE("after stop nothing starts") {
    Bench bench;
    bench.scheduler.add(job("t", 1s), 0, 1, bench.now);
    bench.scheduler.stop();
    CHECK_FALSE(bench.scheduler.next_wakeup());
    bench.scheduler.advance(bench.now + 5s);
    CHECK(bench.starts.empty());
}

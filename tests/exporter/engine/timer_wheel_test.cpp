#include "exporter/engine/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

using sonde::exporter::TimerWheel;
using namespace std::chrono_literals;
using TimePoint = TimerWheel::TimePoint;

namespace {

const TimePoint start{1000s};

std::vector<TimerWheel::Id> fired_at(TimerWheel& wheel, TimePoint now) {
    std::vector<TimerWheel::Id> fired;
    wheel.advance(now, [&](TimerWheel::Id id) {
        fired.push_back(id);
        return true;
    });
    return fired;
}

}  // namespace

TEST_CASE("an id fires at its tick, never before") {
    TimerWheel wheel{start};
    wheel.schedule(7, start + 10ms);
    CHECK(fired_at(wheel, start + 9ms + 999us).empty());
    CHECK(fired_at(wheel, start + 10ms) == std::vector<TimerWheel::Id>{7});
    CHECK(wheel.size() == 0);
    CHECK_FALSE(wheel.next());
}

TEST_CASE("a due time between ticks is rounded up") {
    TimerWheel wheel{start};
    wheel.schedule(1, start + 10ms + 1ns);
    CHECK(fired_at(wheel, start + 10ms).empty());
    CHECK(fired_at(wheel, start + 11ms).size() == 1);
}

TEST_CASE("what is due in the past fires at the next tick") {
    TimerWheel wheel{start};
    CHECK(fired_at(wheel, start + 5s).empty());
    wheel.schedule(1, start + 1s);
    CHECK(fired_at(wheel, start + 5s + 1ms).size() == 1);
}

TEST_CASE("scheduling again moves, cancelling removes") {
    TimerWheel wheel{start};
    wheel.schedule(1, start + 10ms);
    wheel.schedule(1, start + 30ms);
    wheel.schedule(2, start + 20ms);
    CHECK(wheel.size() == 2);
    wheel.cancel(2);
    wheel.cancel(2);
    CHECK(fired_at(wheel, start + 25ms).empty());
    CHECK(fired_at(wheel, start + 30ms) == std::vector<TimerWheel::Id>{1});
}

TEST_CASE("a due time turns away waits for its turn") {
    TimerWheel wheel{start};
    wheel.schedule(1, start + 24h);
    wheel.schedule(2, start + 24h + 65'536ms);
    TimePoint now = start;
    std::size_t wakeups = 0;
    while (wheel.size() == 2) {
        REQUIRE(wheel.next());
        REQUIRE(*wheel.next() > now);
        now = *wheel.next();
        ++wakeups;
        fired_at(wheel, now);
    }
    CHECK(now == start + 24h);
    CHECK(wakeups < 24h / 65'536ms * 2 + 3);
    CHECK(fired_at(wheel, start + 25h) == std::vector<TimerWheel::Id>{2});
}

TEST_CASE("after a stall of several turns everything due fires once") {
    TimerWheel wheel{start};
    for (TimerWheel::Id id = 0; id < 1000; ++id) {
        wheel.schedule(id, start + id * 97ms);
    }
    CHECK(fired_at(wheel, start + 1h).size() == 1000);
    CHECK(fired_at(wheel, start + 2h).empty());
}

TEST_CASE("firing may schedule and cancel others") {
    TimerWheel wheel{start};
    wheel.schedule(1, start + 5ms);
    wheel.schedule(2, start + 5ms);
    std::vector<TimerWheel::Id> fired;
    wheel.advance(start + 5ms, [&](TimerWheel::Id id) {
        fired.push_back(id);
        wheel.cancel(3 - id);
        wheel.schedule(id, start + 5ms);
        return true;
    });
    CHECK(fired.size() == 1);
    CHECK(wheel.size() == 1);
    CHECK(fired_at(wheel, start + 6ms) == fired);
}

TEST_CASE("firing may pause: the rest is due at once, and may be moved or cancelled") {
    TimerWheel wheel{start};
    for (TimerWheel::Id id = 1; id <= 4; ++id) {
        wheel.schedule(id, start + 5ms);
    }
    wheel.schedule(9, start + 6ms);
    std::vector<TimerWheel::Id> fired;
    const auto one = [&](TimerWheel::Id id) {
        fired.push_back(id);
        return false;
    };
    wheel.advance(start + 8ms, one);
    wheel.advance(start + 8ms, one);
    REQUIRE(fired.size() == 2);
    CHECK(wheel.size() == 3);
    CHECK(wheel.next() == start + 5ms);
    std::vector<TimerWheel::Id> left;
    for (TimerWheel::Id id = 1; id <= 4; ++id) {
        if (std::ranges::find(fired, id) == fired.end()) {
            left.push_back(id);
        }
    }
    wheel.cancel(left[0]);
    wheel.schedule(left[1], start + 20ms);
    CHECK(wheel.next() == start + 6ms);
    CHECK(fired_at(wheel, start + 8ms) == std::vector<TimerWheel::Id>{9});
    CHECK(fired_at(wheel, start + 20ms) == std::vector<TimerWheel::Id>{left[1]});
}

TEST_CASE("random schedules behave like a sorted map") {
    std::mt19937 random{20261124};
    TimerWheel wheel{start};
    std::map<TimerWheel::Id, TimePoint> model;
    TimePoint now = start;
    for (int step = 0; step < 20'000; ++step) {
        const auto id = static_cast<TimerWheel::Id>(random() % 200);
        switch (random() % 4) {
            case 0:
                wheel.cancel(id);
                model.erase(id);
                break;
            case 1: {
                now += std::chrono::milliseconds{random() % 3'000};
                std::size_t expected =
                    std::erase_if(model, [&](const auto& entry) { return entry.second <= now; });
                CHECK(fired_at(wheel, now).size() == expected);
                break;
            }
            default: {
                const TimePoint due = now + std::chrono::milliseconds{1 + random() % 200'000};
                wheel.schedule(id, due);
                model[id] = due;
            }
        }
        REQUIRE(wheel.size() == model.size());
    }
}

#include "probes/net/clock.hpp"

#include "tests/support/manual_clock.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes::net;
using namespace sonde::tests;
using namespace std::chrono_literals;

TEST_CASE("clock: an arrival on the wall clock becomes a moment of the monotonic one") {
    ManualClock clock;
    const ClockReading then = ClockReading::take(clock);
    clock.advance(50ms);
    const UnixTime arrival = clock.unix_now();
    const TimePoint wanted = clock.now();
    clock.advance(200ms);  // the reader was busy
    CHECK(to_monotonic(arrival, then, ClockReading::take(clock)) == wanted);
}

TEST_CASE("clock: an arrival is never before the connection nor after the reading") {
    ManualClock clock;
    const ClockReading then = ClockReading::take(clock);
    clock.advance(10ms);
    const ClockReading now = ClockReading::take(clock);
    CHECK(to_monotonic(then.unix - 300us, then, now) == then.monotonic);
    CHECK(to_monotonic(now.unix + 300us, then, now) == now.monotonic);
}

TEST_CASE("clock: after a step of the wall clock an arrival says nothing") {
    for (const auto step : {-3600s, -1s, 1s, 3600s}) {
        ManualClock clock;
        const ClockReading then = ClockReading::take(clock);
        clock.advance(50ms);
        const UnixTime arrival = clock.unix_now();
        clock.step_unix(step);
        CHECK_FALSE(to_monotonic(arrival, then, ClockReading::take(clock)));
    }
}

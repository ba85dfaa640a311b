#include "probes/net/clock.hpp"

#include <algorithm>

namespace sonde::probes::net {

namespace {

class SystemClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }

    [[nodiscard]] UnixTime unix_now() const override {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(
            std::chrono::system_clock::now());
    }
};

}  // namespace

const Clock& Clock::system() {
    static const SystemClock clock;
    return clock;
}

ClockReading ClockReading::take(const Clock& clock) {
    // A thread that loses the processor between two readings would see a step that never was.
    constexpr std::chrono::microseconds close_enough{20};
    constexpr int tries = 4;
    ClockReading reading;
    for (int i = 0; i < tries; ++i) {
        const TimePoint before = clock.now();
        reading.unix = clock.unix_now();
        reading.monotonic = clock.now();
        if (reading.monotonic - before <= close_enough) {
            break;
        }
    }
    return reading;
}

std::optional<TimePoint> to_monotonic(UnixTime arrival,
                                      const ClockReading& then,
                                      const ClockReading& now) {
    constexpr std::chrono::milliseconds step{1};
    const std::chrono::nanoseconds moved =
        (now.unix - then.unix) - (now.monotonic - then.monotonic);
    if (std::chrono::abs(moved) >= step) {
        return std::nullopt;
    }
    return std::clamp<TimePoint>(
        now.monotonic - (now.unix - arrival), then.monotonic, now.monotonic);
}

}  // namespace sonde::probes::net

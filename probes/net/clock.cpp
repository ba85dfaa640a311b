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

TimePoint to_monotonic(UnixTime arrival, TimePoint earliest, const Clock& clock) {
    const TimePoint now = clock.now();
    const auto age = clock.unix_now() - arrival;
    return std::clamp(now - age, earliest, now);
}

}  // namespace sonde::probes::net

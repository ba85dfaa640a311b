// The time that probes see. The only place that reads the system's clocks.
#pragma once

#include <chrono>

namespace sonde::probes::net {

using TimePoint = std::chrono::steady_clock::time_point;
using UnixTime = std::chrono::sys_time<std::chrono::nanoseconds>;

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const = 0;      // monotonic: for durations and deadlines
    [[nodiscard]] virtual UnixTime unix_now() const = 0;  // wall clock: for timestamps only

    /// The machine's own clock.
    static const Clock& system();
};

/// The monotonic moment of an arrival that the kernel stamped with the wall clock. Reads both
/// clocks now; a clock step between the arrival and this call is caught by clamping to [earliest,
/// now].
[[nodiscard]] TimePoint to_monotonic(UnixTime arrival, TimePoint earliest, const Clock& clock);

}  // namespace sonde::probes::net

// The time that probes see. The only place that reads the system's clocks.
#pragma once

#include <chrono>
#include <optional>

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

/// Both clocks at one moment.
struct ClockReading {
    TimePoint monotonic;
    UnixTime unix;

    /// Reads both now, as closely together as the machine lets it.
    static ClockReading take(const Clock& clock);
};

/// The monotonic moment of an arrival that the kernel stamped with the wall clock, between `then`,
/// which was taken before it, and `now`. Nothing when the wall clock was set in between: the two
/// clocks drift together (both follow NTP's rate), so only a step moves them apart.
[[nodiscard]] std::optional<TimePoint> to_monotonic(UnixTime arrival,
                                                    const ClockReading& then,
                                                    const ClockReading& now);

}  // namespace sonde::probes::net

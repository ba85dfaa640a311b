// When what is due: a hashed timing wheel (Varghese and Lauck 1987, scheme 6) with 1 ms ticks.
// Adding, moving and cancelling cost O(1) and 16 bytes each; it reads no clock and owns no timer.
#pragma once

#include "probes/net/clock.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace sonde::exporter {

class TimerWheel {
public:
    /// Small numbers, the caller's own: memory is for the largest that was ever scheduled.
    using Id = std::uint32_t;
    using TimePoint = probes::net::TimePoint;

    static constexpr std::chrono::milliseconds tick{1};

    explicit TimerWheel(TimePoint start);

    /// Fires `id` at the first tick at or after `due` (up to 1 ms late, never early). An id that is
    /// scheduled already is moved.
    void schedule(Id id, TimePoint due);

    /// Nothing happens when `id` is not scheduled.
    void cancel(Id id);

    /// Calls `fire` for everything that is due, in the order of ticks, until it returns false: what
    /// is left then is due in the next call. `fire` may schedule and cancel.
    void advance(TimePoint now, const std::function<bool(Id)>& fire);

    /// When advance() has to be called next at the latest; nothing while nothing is scheduled. May
    /// be earlier than the next id fires (once for each turn of the wheel).
    [[nodiscard]] std::optional<TimePoint> next() const;

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    static constexpr std::size_t slots = 65536;  // a turn takes 65 s: most intervals need one
    static constexpr std::uint32_t none = UINT32_MAX;

    struct Node {
        std::int64_t due_tick = -1;  // -1: not scheduled
        std::uint32_t next = none;
        std::uint32_t previous = none;
    };

    [[nodiscard]] static std::size_t slot_of(std::int64_t due_tick) {
        return static_cast<std::size_t>(due_tick) % slots;
    }

    void unlink(Id id);
    void take_due(std::size_t slot, std::int64_t tick_now);
    bool fire_taken(const std::function<bool(Id)>& fire);

    TimePoint start_;
    std::int64_t done_tick_ = 0;  // everything up to and with this tick has fired
    std::size_t size_ = 0;
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> heads_;
    std::vector<std::uint64_t> occupied_;  // a bit for each slot that is not empty
    std::vector<Id> due_;                  // taken from their slots, not fired yet
};

}  // namespace sonde::exporter

// A clock that stands still until a test moves it.
#pragma once

#include "probes/net/clock.hpp"

#include <atomic>
#include <chrono>

namespace sonde::tests {

/// May be read and moved from any thread. Both times start at round values well away from zero, so
/// that a test may also go back a little.
class ManualClock final : public probes::net::Clock {
public:
    [[nodiscard]] probes::net::TimePoint now() const override {
        return probes::net::TimePoint(std::chrono::nanoseconds(monotonic_.load()));
    }

    [[nodiscard]] probes::net::UnixTime unix_now() const override {
        return probes::net::UnixTime(std::chrono::nanoseconds(unix_.load()));
    }

    /// Time passes: both clocks move.
    void advance(std::chrono::nanoseconds by) {
        monotonic_ += by.count();
        unix_ += by.count();
    }

    /// Somebody sets the wall clock; the monotonic clock does not notice.
    void step_unix(std::chrono::nanoseconds by) { unix_ += by.count(); }

    void set_now(probes::net::TimePoint at) {
        monotonic_ = std::chrono::nanoseconds(at.time_since_epoch()).count();
    }

    void set_unix(probes::net::UnixTime at) { unix_ = at.time_since_epoch().count(); }

private:
    std::atomic<std::int64_t> monotonic_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
    std::atomic<std::int64_t> unix_{1'700'000'000'000'000'000};
};

}  // namespace sonde::tests

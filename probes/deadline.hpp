// The one moment by which a whole check must have ended.
#pragma once

#include "probes/net/clock.hpp"

namespace sonde::probes {

struct Deadline {
    net::TimePoint at = net::TimePoint::max();
    std::chrono::nanoseconds timeout{};  // from the start of the check to `at`

    [[nodiscard]] net::TimePoint started() const { return at - timeout; }

    [[nodiscard]] bool passed(net::TimePoint now) const { return now >= at; }
};

}  // namespace sonde::probes

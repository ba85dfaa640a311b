// What every step of a running check needs to know: the world, the deadline, and whether it was
// cancelled.
#pragma once

#include "probes/deadline.hpp"
#include "probes/env.hpp"
#include "probes/net/clock.hpp"

#include <boost/asio/cancellation_state.hpp>

namespace sonde::probes {

/// A cancellation that comes while nothing is being waited for is not seen by the next wait: ask
/// cancelled() before each.
struct RunContext {
    const Env& env;
    Deadline deadline;
    boost::asio::cancellation_state cancellation;  // co_await this_coro::cancellation_state

    [[nodiscard]] bool cancelled() const {
        return cancellation.cancelled() != boost::asio::cancellation_type::none;
    }

    [[nodiscard]] net::TimePoint now() const { return env.clock.now(); }
};

}  // namespace sonde::probes

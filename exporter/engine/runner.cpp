#include "exporter/engine/runner.hpp"

#include "exporter/log.hpp"
#include "probes/net/waiter.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

/// A place for one check at a time, with the coroutine that runs one after the other in it: to
/// start one anew for each check costs more than what a check does between two waits.
struct Runner::Flight {
    TimerWheel::Id id = 0;
    asio::cancellation_signal cancel;
    probes::net::Waiter parked;  // the coroutine, while there is no check
    std::optional<probes::Env> env;
    std::shared_ptr<const probes::Probe> probe;  // null: no check
    std::shared_ptr<const probes::Target> target;
    Done done;
    probes::Deadline deadline;  // tells when the check started, too
    probes::net::UnixTime started_unix;
    bool cancelled = false;
    bool flies = false;  // its coroutine was started
};

namespace {

template <typename Token>
auto park(probes::net::Waiter& waiter, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code)>(
        [](auto handler, probes::net::Waiter* place) { place->emplace(std::move(handler)); },
        token,
        &waiter);
}

}  // namespace

Runner::Runner(probes::Env env)
    : env_(env),
      deadlines_(env.clock.now()),
      alarm_(env.reactor, [this] { on_alarm(); }) {}

Runner::~Runner() = default;

void Runner::start(std::shared_ptr<const probes::Probe> probe,
                   std::shared_ptr<const probes::Target> target,
                   std::chrono::nanoseconds timeout,
                   Done done,
                   probes::Trace* trace) {
    if (free_.empty()) {
        free_.push_back(static_cast<TimerWheel::Id>(flights_.size()));
        flights_.push_back(std::make_unique<Flight>());
        flights_.back()->id = free_.back();
    }
    Flight& flight = *flights_[free_.back()];
    free_.pop_back();
    ++in_flight_;
    flight.env.emplace(env_);
    flight.env->trace = trace;
    flight.probe = std::move(probe);
    flight.target = std::move(target);
    flight.done = std::move(done);
    flight.cancelled = false;
    flight.deadline = {env_.clock.now() + timeout, timeout};
    flight.started_unix = env_.clock.unix_now();
    deadlines_.schedule(flight.id, flight.deadline.at);
    arm();
    if (flight.parked.armed()) {
        flight.parked.complete({});
    } else if (!std::exchange(flight.flies, true)) {
        asio::co_spawn(env_.reactor.context(),
                       run_flights(flight),
                       asio::bind_cancellation_slot(flight.cancel.slot(), [](std::exception_ptr) {
                           // It ends by close() alone and throws nothing.
                       }));
    }
}

asio::awaitable<void> Runner::run_flights(Flight& flight) {
    while (flight.probe) {
        probes::ProbeResult result;
        try {
            result = co_await flight.probe->run(*flight.env, *flight.target, flight.deadline);
        } catch (const std::exception& bug) {
            result.failure = probes::Failure::internal_error;
            result.detail = bug.what();
            log::error("a probe failed in a way it must not",
                       {{"target", flight.target->name}, {"error", bug.what()}});
        }
        // What may have ended this check is nothing to the next.
        co_await asio::this_coro::reset_cancellation_state();
        finish(flight, std::move(result));
        if (!flight.probe && !closed_) {
            const auto woken = co_await park(flight.parked, asio::as_tuple(asio::deferred));
            static_cast<void>(woken);
        }
    }
}

void Runner::finish(Flight& flight, probes::ProbeResult&& result) {
    deadlines_.cancel(flight.id);
    Outcome outcome{
        flight.deadline.started(), flight.started_unix, std::move(result), flight.cancelled};
    Done done = std::exchange(flight.done, nullptr);
    flight.probe.reset();
    flight.target.reset();
    free_.push_back(flight.id);
    --in_flight_;
    done(std::move(outcome));
}

void Runner::cancel_all() {
    // By index: what ends here may start others.
    for (std::size_t id = 0; id < flights_.size(); ++id) {
        Flight& flight = *flights_[id];
        if (flight.probe) {
            flight.cancelled = true;
            flight.cancel.emit(asio::cancellation_type::terminal);
        }
    }
}

void Runner::close() {
    closed_ = true;
    for (const auto& flight : flights_) {
        if (flight->parked.armed()) {
            flight->parked.complete(asio::error::operation_aborted);
        }
    }
}

void Runner::arm() {
    if (const auto next = deadlines_.next()) {
        alarm_.set_no_later(*next);
    }
}

void Runner::on_alarm() {
    deadlines_.advance(env_.clock.now(), [this](TimerWheel::Id id) {
        flights_[id]->cancel.emit(asio::cancellation_type::terminal);
        return true;
    });
    arm();
}

}  // namespace sonde::exporter

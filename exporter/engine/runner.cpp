#include "exporter/engine/runner.hpp"

#include "exporter/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

struct Runner::Flight {
    TimerWheel::Id id = 0;
    asio::cancellation_signal cancel;
    std::optional<probes::Env> env;
    std::shared_ptr<const probes::Probe> probe;
    std::shared_ptr<const probes::Target> target;
    Done done;
    probes::net::TimePoint started;
    probes::net::UnixTime started_unix;
    bool cancelled = false;
    bool running = false;
};

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
    flight.running = true;
    flight.started = env_.clock.now();
    flight.started_unix = env_.clock.unix_now();
    const probes::Deadline deadline{flight.started + timeout, timeout};
    deadlines_.schedule(flight.id, deadline.at);
    arm();
    asio::co_spawn(env_.reactor.context(),
                   flight.probe->run(*flight.env, *flight.target, deadline),
                   asio::bind_cancellation_slot(
                       flight.cancel.slot(),
                       [this, &flight](std::exception_ptr bug, probes::ProbeResult result) {
                           finish(flight, std::move(bug), std::move(result));
                       }));
}

void Runner::finish(Flight& flight, std::exception_ptr bug, probes::ProbeResult&& result) {
    deadlines_.cancel(flight.id);
    Outcome outcome{flight.started, flight.started_unix, std::move(result), flight.cancelled};
    if (bug) {
        try {
            std::rethrow_exception(bug);
        } catch (const std::exception& error) {
            outcome.result.failure = probes::Failure::internal_error;
            outcome.result.detail = error.what();
            log::error("a probe failed in a way it must not",
                       {{"target", flight.target->name}, {"error", error.what()}});
        }
    }
    Done done = std::exchange(flight.done, nullptr);
    flight.probe.reset();
    flight.target.reset();
    flight.running = false;
    free_.push_back(flight.id);
    --in_flight_;
    done(std::move(outcome));
}

void Runner::cancel_all() {
    for (std::size_t id = 0; id < flights_.size(); ++id) {
        Flight& flight = *flights_[id];
        if (flight.running) {
            flight.cancelled = true;
            flight.cancel.emit(asio::cancellation_type::terminal);
        }
    }
}

void Runner::arm() {
    const auto next = deadlines_.next();
    if (next && (!alarm_.at() || *next < *alarm_.at())) {
        alarm_.set(*next);
    }
}

void Runner::on_alarm() {
    deadlines_.advance(env_.clock.now(), [this](TimerWheel::Id id) {
        flights_[id]->cancel.emit(asio::cancellation_type::terminal);
    });
    arm();
}

}  // namespace sonde::exporter

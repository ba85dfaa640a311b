// Runs single checks, each under its one deadline: for the scheduler, for /probe and for `sonde
// probe`. Owns cancellation and the line between a probe's outcome and a bug of ours; records
// nothing.
#pragma once

#include "exporter/engine/timer_wheel.hpp"
#include "probes/net/clock.hpp"
#include "probes/net/reactor.hpp"
#include "probes/probe.hpp"

#include <boost/asio/awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <vector>

namespace sonde::exporter {

class Runner {
public:
    /// What came of a check. `cancelled`: it was ended by cancel_all() and says nothing of the
    /// target.
    struct Outcome {
        probes::net::TimePoint started;
        probes::net::UnixTime started_unix;
        probes::ProbeResult result;
        bool cancelled = false;
    };

    using Done = std::function<void(Outcome&&)>;

    /// All members are used on the thread of `env`'s reactor. `env` is copied for each run.
    explicit Runner(probes::Env env);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// Starts a check now and calls `done` once, on the same thread, perhaps before it returns. At
    /// the deadline the probe is cancelled and returns what it has measured. An exception that
    /// leaves the probe is a bug: it becomes internal_error and is logged.
    void start(std::shared_ptr<const probes::Probe> probe,
               std::shared_ptr<const probes::Target> target,
               std::chrono::nanoseconds timeout,
               Done done,
               probes::Trace* trace = nullptr);

    /// Ends every check under way; each still calls its `done`, with `cancelled`.
    void cancel_all();

    /// Lets the context run out of work. Nothing may be started any more.
    void close();

    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

private:
    struct Flight;

    boost::asio::awaitable<void> run_flights(Flight& flight);
    void finish(Flight& flight, probes::ProbeResult&& result);
    void arm();
    void on_alarm();

    probes::Env env_;
    TimerWheel deadlines_;
    probes::net::Alarm alarm_;
    std::vector<std::unique_ptr<Flight>> flights_;  // by id; reused
    std::vector<TimerWheel::Id> free_;
    std::size_t in_flight_ = 0;
    bool closed_ = false;
};

}  // namespace sonde::exporter

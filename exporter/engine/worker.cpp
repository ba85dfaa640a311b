#include "exporter/engine/worker.hpp"

#include "exporter/engine/runner.hpp"
#include "exporter/log.hpp"
#include "exporter/metrics/self_metrics.hpp"
#include "probes/net/clock.hpp"
#include "probes/net/connection_pool.hpp"
#include "probes/net/reactor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <pthread.h>

#include <algorithm>
#include <ctime>
#include <thread>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;
using probes::net::Clock;
using probes::net::TimePoint;

namespace {

/// So few that a slice takes well under a millisecond.
constexpr std::size_t changes_at_once = 256;

/// Connections that are kept between checks: what app.cpp leaves descriptors for.
constexpr std::size_t most_idle(std::size_t max_in_flight) {
    return std::max<std::size_t>(max_in_flight / 4, 16);
}

/// The state of a target that was not checked yet.
constexpr auto unknown = static_cast<std::uint8_t>(probes::Failure::count);

}  // namespace

struct Worker::Impl {
    Impl(Options wanted, MetricStore& metric_store, SelfMetrics& self_metrics)
        : options(std::move(wanted)),
          store(metric_store),
          self(self_metrics),
          reactor(context),
          resolver(reactor, clock, options.resolver),
          connections(reactor, clock, most_idle(options.max_in_flight)),
          runner({context.get_executor(), clock, reactor, resolver, connections}),
          scheduler(options.anchor,
                    clock.now(),
                    options.max_in_flight,
                    {[this](Scheduler::Index index, TimePoint due) { start(index, due); },
                     [this](MetricStore::Id id, SkipReason reason) {
                         store.skip(id, reason);
                     }}),
          tick(reactor, [this] { on_tick(); }),
          grace_end(reactor, [this] { runner.cancel_all(); }) {}

    void start(Scheduler::Index index, TimePoint due);
    void on_done(Scheduler::Index index, Runner::Outcome&& outcome);
    void log_check(Scheduler::Index index, const Runner::Outcome& outcome) const;
    void note_exhaustion(Scheduler::Index index, const probes::ProbeResult& result);
    void note_change_of_state(Scheduler::Index index, const probes::ProbeResult& result);
    void apply_slice(std::vector<Change> changes, std::size_t from, std::function<void()> done);
    void apply_one(const Change& change);
    void arm();
    void on_tick();
    void end_if_idle();

    Options options;
    MetricStore& store;
    SelfMetrics& self;
    const Clock& clock = Clock::system();
    asio::io_context context{1};
    probes::net::Reactor reactor;
    probes::net::Resolver resolver;
    probes::net::ConnectionPool connections;
    Runner runner;
    Scheduler scheduler;
    probes::net::Alarm tick;
    TimePoint tick_due;
    TimePoint exhaustion_logged = TimePoint::min();
    probes::net::Alarm grace_end;
    boost::unordered_flat_map<MetricStore::Id, Scheduler::Index> indexes;
    std::vector<std::uint8_t> last_failure;  // by index: a Failure, or unknown
    std::size_t applying = 0;                // calls of apply() that have changes left
    std::function<void()> on_ended;
    bool told_to_end = false;  // used by the owner's thread only
    std::thread thread;
};

void Worker::Impl::start(Scheduler::Index index, TimePoint due) {
    const std::shared_ptr<const Job>& job = scheduler.job(index);
    self.observe_start_lag(clock.now() - due);
    self.check_started();
    runner.start(job->probe,
                 std::shared_ptr<const probes::Target>{job, &job->target},
                 job->timeout,
                 [this, index](Runner::Outcome&& outcome) { on_done(index, std::move(outcome)); });
}

void Worker::Impl::on_done(Scheduler::Index index, Runner::Outcome&& outcome) {
    if (log::debugging()) {
        log_check(index, outcome);
    }
    const bool live = scheduler.is_live(index);
    if (live && outcome.result.exhausted) {
        note_exhaustion(index, outcome.result);
    } else if (live && !outcome.cancelled) {
        store.record(scheduler.id(index), outcome.started_unix, outcome.result);
        note_change_of_state(index, outcome.result);
    }
    if (outcome.result.arrival_from_kernel) {
        self.count_receive_timestamp(*outcome.result.arrival_from_kernel ? TimestampSource::kernel
                                                                         : TimestampSource::user);
    }
    self.check_ended();
    const bool says_nothing = outcome.cancelled || outcome.result.exhausted;
    scheduler.finished(index,
                       clock.now(),
                       says_nothing               ? CheckEnd::nothing
                       : outcome.result.success() ? CheckEnd::success
                                                  : CheckEnd::failure);
    end_if_idle();
}

/// A machine that has no descriptor left would fail every target of the fleet.
void Worker::Impl::note_exhaustion(Scheduler::Index index, const probes::ProbeResult& result) {
    constexpr std::chrono::seconds between_lines{10};
    store.skip(scheduler.id(index), SkipReason::overload);
    const TimePoint now = clock.now();
    if (now - exhaustion_logged >= between_lines) {
        exhaustion_logged = now;
        log::warn("a check was skipped: this machine has run out of what it needs",
                  {{"target", scheduler.job(index)->target.name}, {"detail", result.detail}});
    }
}

void Worker::Impl::log_check(Scheduler::Index index, const Runner::Outcome& outcome) const {
    const auto milliseconds = [](probes::Duration length) {
        return std::to_string(std::chrono::duration<double, std::milli>(length).count());
    };
    const probes::ProbeResult& result = outcome.result;
    log::debug("checked",
               {{"target", scheduler.job(index)->target.name},
                {"reason", std::string{probes::name(result.failure)}},
                {"duration_ms", milliseconds(result.duration)},
                {"rtt_ms", result.rtt ? milliseconds(*result.rtt) : ""},
                {"detail", result.detail}});
}

void Worker::Impl::note_change_of_state(Scheduler::Index index, const probes::ProbeResult& result) {
    const auto failure = static_cast<std::uint8_t>(result.failure);
    const std::uint8_t before = std::exchange(last_failure[index], failure);
    if (failure == before || (result.success() && before == unknown)) {
        return;
    }
    const std::string& name = scheduler.job(index)->target.name;
    if (result.success()) {
        log::info("target recovered", {{"target", name}});
    } else {
        log::warn("target failed",
                  {{"target", name},
                   {"reason", std::string{probes::name(result.failure)}},
                   {"detail", result.detail}});
    }
}

void Worker::Impl::apply_one(const Change& change) {
    const TimePoint now = clock.now();
    switch (change.what) {
        case Change::What::add: {
            const auto index = scheduler.add(change.job, change.id, change.host_cap, now);
            indexes[change.id] = index;
            if (index >= last_failure.size()) {
                last_failure.resize(std::size_t{index} + 1);
            }
            last_failure[index] = unknown;
            break;
        }
        case Change::What::replace:
            scheduler.replace(indexes.at(change.id), change.job, change.host_cap, now);
            break;
        case Change::What::leave:
        case Change::What::remove: {
            const auto found = indexes.find(change.id);
            scheduler.remove(found->second);
            indexes.erase(found);
            if (change.what == Change::What::remove) {
                store.remove(change.id);
            }
            break;
        }
    }
}

void Worker::Impl::apply_slice(std::vector<Change> changes,
                               std::size_t from,
                               std::function<void()> done) {
    const std::size_t end = std::min(changes.size(), from + changes_at_once);
    for (std::size_t i = from; i < end; ++i) {
        apply_one(changes[i]);
    }
    arm();
    if (end == changes.size()) {
        const bool any_old = std::ranges::any_of(
            changes, [](const Change& change) { return change.what != Change::What::add; });
        if (any_old) {
            // Made with what may hold no more: other credentials, other trust.
            connections.close_idle();
        }
        --applying;
        done();
        end_if_idle();
        return;
    }
    asio::post(context,
               [this, changes = std::move(changes), end, done = std::move(done)]() mutable {
                   apply_slice(std::move(changes), end, std::move(done));
               });
}

void Worker::Impl::arm() {
    const auto next = scheduler.next_wakeup();
    if (!next) {
        return;
    }
    // What is due already has its turn after the events that wait.
    const TimePoint at = std::max(*next, clock.now());
    if (tick.set_no_later(at)) {
        tick_due = at;
    }
}

void Worker::Impl::on_tick() {
    const TimePoint now = clock.now();
    self.observe_loop_lag(now - tick_due);
    scheduler.advance(now);
    arm();
}

void Worker::Impl::end_if_idle() {
    if (!on_ended || applying != 0 || scheduler.in_flight() != 0) {
        return;
    }
    tick.clear();
    grace_end.clear();
    runner.close();
    connections.close();
    resolver.close();
    reactor.close();
    std::exchange(on_ended, nullptr)();
}

Worker::Worker(Options options, MetricStore& store, SelfMetrics& self)
    : impl_(std::make_unique<Impl>(std::move(options), store, self)) {
    impl_->thread = std::thread{[impl = impl_.get()] {
        const std::string name = "worker-" + std::to_string(impl->options.number);
        pthread_setname_np(pthread_self(), name.c_str());
        impl->context.run();
    }};
}

Worker::~Worker() {
    if (!impl_->told_to_end) {
        shut_down(std::chrono::nanoseconds::zero(), [] {});
    }
    impl_->thread.join();
}

void Worker::apply(std::vector<Change> changes, std::function<void()> done) {
    impl_->reactor.post(
        [impl = impl_.get(), changes = std::move(changes), done = std::move(done)]() mutable {
            ++impl->applying;
            impl->apply_slice(std::move(changes), 0, std::move(done));
        });
}

void Worker::shut_down(std::chrono::nanoseconds grace, std::function<void()> done) {
    impl_->told_to_end = true;
    impl_->reactor.post([impl = impl_.get(), grace, done = std::move(done)]() mutable {
        impl->scheduler.stop();
        impl->on_ended = std::move(done);
        impl->grace_end.set(impl->clock.now() + grace);
        impl->end_if_idle();
    });
}

std::uint64_t Worker::resolver_resends() const {
    return impl_->resolver.resends();
}

std::chrono::nanoseconds Worker::cpu_time() const {
    clockid_t clock_id{};
    timespec used{};
    if (pthread_getcpuclockid(impl_->thread.native_handle(), &clock_id) != 0 ||
        clock_gettime(clock_id, &used) != 0) {
        return {};
    }
    return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

}  // namespace sonde::exporter

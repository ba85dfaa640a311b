#include "exporter/engine/scheduler.hpp"

#include "exporter/engine/stable_hash.hpp"

#include <algorithm>
#include <utility>

namespace sonde::exporter {

using std::chrono::nanoseconds;

namespace {

constexpr std::chrono::seconds longest_first_wait{30};
constexpr std::chrono::milliseconds soon{50};

}  // namespace

std::string host_key(const Job& job) {
    return std::string{job.target.url.host()} + ':' + std::to_string(job.target.url.port());
}

nanoseconds phase_of(std::string_view name, nanoseconds interval) {
    return nanoseconds{stable_hash(name) % static_cast<std::uint64_t>(interval.count())};
}

probes::net::TimePoint next_on_phase(std::string_view name,
                                     nanoseconds interval,
                                     const TimeAnchor& anchor,
                                     probes::net::TimePoint now) {
    const nanoseconds unix_now = anchor.unix_time.time_since_epoch() + (now - anchor.monotonic);
    const nanoseconds into = (unix_now - phase_of(name, interval)) % interval;
    // `into` is negative when the phase lies ahead of a time shortly after the epoch.
    return now + (into < nanoseconds::zero() ? -into : interval - into);
}

Scheduler::TimePoint Scheduler::latest_start(const Entry& entry, TimePoint due) {
    return due + std::min<nanoseconds>(entry.job->interval / 10, soon);
}

SkipReason Scheduler::why_missed(const Entry& entry, TimePoint due, TimePoint now) {
    const nanoseconds waited = entry.started - entry.current_due;
    return now - waited <= latest_start(entry, due) ? SkipReason::overload : SkipReason::overrun;
}

Scheduler::Scheduler(TimeAnchor anchor, TimePoint now, std::size_t max_in_flight, Hooks hooks)
    : anchor_(anchor),
      max_in_flight_(max_in_flight),
      hooks_(std::move(hooks)),
      wheel_(now) {}

Scheduler::Index Scheduler::add(std::shared_ptr<const Job> job,
                                MetricStore::Id id,
                                std::size_t host_cap,
                                TimePoint now) {
    Index index = static_cast<Index>(entries_.size());
    if (free_.empty()) {
        entries_.emplace_back();
    } else {
        index = free_.back();
        free_.pop_back();
    }
    Entry& entry = entries_[index];
    entry.id = id;
    entry.job = std::move(job);
    join_host(entry, host_cap);
    const std::string& name = entry.job->target.name;
    entry.on_phase = entry.job->interval <= longest_first_wait;
    entry.due = entry.on_phase ? next_on_phase(name, entry.job->interval, anchor_, now)
                               : now + phase_of(name, longest_first_wait);
    if (!stopped_) {
        wheel_.schedule(index, entry.due);
    }
    return index;
}

void Scheduler::join_host(Entry& entry, std::size_t host_cap) {
    const auto [found, fresh] = hosts_.try_emplace(host_key(*entry.job));
    Host& host = found->second;
    host.key = &found->first;
    host.cap = static_cast<std::uint32_t>(host_cap);
    ++host.targets;
    entry.host = &host;
}

void Scheduler::leave_host(Entry& entry) {
    Host& host = *std::exchange(entry.host, nullptr);
    --host.targets;
    forget_if_unused(host);
}

void Scheduler::forget_if_unused(Host& host) {
    if (host.targets == 0 && host.places == 0 && host.waiting.empty()) {
        hosts_.erase(*host.key);
    }
}

void Scheduler::free_entry(Index index) {
    entries_[index] = Entry{};
    free_.push_back(index);
}

void Scheduler::remove(Index index) {
    Entry& entry = entries_[index];
    wheel_.cancel(index);
    leave_host(entry);
    if (entry.state == State::running) {
        entry.removed = true;
        return;
    }
    if (entry.state == State::waits_for_host) {
        std::erase(entry.place->waiting, index);
        forget_if_unused(*entry.place);
    } else if (entry.state == State::waits_for_worker) {
        std::erase(ready_, index);
        release_place(entry);
    }
    free_entry(index);
}

void Scheduler::replace(Index index,
                        std::shared_ptr<const Job> job,
                        std::size_t host_cap,
                        TimePoint now) {
    Entry& entry = entries_[index];
    const bool moved = entry.job->interval != job->interval;
    // A check that waits or runs keeps the place it has at the old host.
    leave_host(entry);
    entry.job = std::move(job);
    entry.rechecks = 0;
    join_host(entry, host_cap);
    if (moved) {
        entry.on_phase = true;
        entry.due = next_on_phase(entry.job->target.name, entry.job->interval, anchor_, now);
        wheel_.schedule(index, entry.due);
    }
}

void Scheduler::advance(TimePoint now) {
    const std::uint64_t before = starts_;
    wheel_.advance(now, [&](Index index) {
        on_due(index, now);
        return starts_ == before;
    });
}

void Scheduler::on_due(Index index, TimePoint now) {
    Entry& entry = entries_[index];
    const TimePoint due = entry.due;
    const nanoseconds interval = entry.job->interval;
    if (std::exchange(entry.on_phase, true)) {
        entry.due += interval;
    } else {
        // Not before the first check can have ended.
        entry.due =
            next_on_phase(entry.job->target.name, interval, anchor_, due + entry.job->timeout);
    }
    while (entry.due <= now) {
        // The prober itself was late by whole intervals.
        hooks_.skip(entry.id, SkipReason::overload);
        entry.due += interval;
    }
    wheel_.schedule(index, entry.due);
    switch (entry.state) {
        case State::idle:
            enqueue(index, due, now);
            break;
        case State::running:
            if (entry.missed_due) {
                hooks_.skip(entry.id, why_missed(entry, *entry.missed_due, now));
            }
            entry.missed_due = due;
            break;
        case State::waits_for_host:
        case State::waits_for_worker:
            hooks_.skip(entry.id, SkipReason::overload);
            break;
    }
}

void Scheduler::enqueue(Index index, TimePoint due, TimePoint now) {
    Entry& entry = entries_[index];
    entry.current_due = due;
    entry.place = entry.host;
    if (entry.place->places >= entry.place->cap) {
        entry.state = State::waits_for_host;
        entry.place->waiting.push_back(index);
        return;
    }
    ++entry.place->places;
    entry.state = State::waits_for_worker;
    ready_.push_back(index);
    start_ready(now);
}

void Scheduler::start_ready(TimePoint now) {
    // A check that ends while it is being started comes back here; the loop below goes on with it,
    // so that ten thousand refused connections are no deep stack.
    if (std::exchange(starting_, true)) {
        return;
    }
    while (!stopped_ && in_flight_ < max_in_flight_ && !ready_.empty()) {
        const Index index = ready_.front();
        ready_.pop_front();
        Entry& entry = entries_[index];
        entry.state = State::running;
        entry.started = now;
        ++in_flight_;
        ++starts_;
        hooks_.start(index, entry.current_due);
    }
    starting_ = false;
}

void Scheduler::release_place(Entry& entry) {
    Host& host = *std::exchange(entry.place, nullptr);
    --host.places;
    if (!host.waiting.empty() && host.places < host.cap) {
        const Index next = host.waiting.front();
        host.waiting.pop_front();
        ++host.places;
        entries_[next].state = State::waits_for_worker;
        ready_.push_back(next);
    }
    forget_if_unused(host);
}

void Scheduler::finished(Index index, TimePoint now, CheckEnd end) {
    Entry& entry = entries_[index];
    entry.state = State::idle;
    --in_flight_;
    release_place(entry);
    const std::optional<TimePoint> missed = std::exchange(entry.missed_due, std::nullopt);
    if (end == CheckEnd::success) {
        entry.rechecks = 0;
    }
    const bool again =
        end == CheckEnd::failure && entry.rechecks < entry.job->confirmation.rechecks;
    if (entry.removed) {
        free_entry(index);
    } else if (stopped_) {
        return;
    } else if (missed && now <= latest_start(entry, *missed)) {
        enqueue(index, *missed, now);
    } else if (again) {
        ++entry.rechecks;
        enqueue(index, now, now);
    } else if (missed) {
        hooks_.skip(entry.id, why_missed(entry, *missed, now));
    }
    start_ready(now);
}

void Scheduler::stop() {
    stopped_ = true;
}

std::optional<Scheduler::TimePoint> Scheduler::next_wakeup() const {
    return stopped_ ? std::nullopt : wheel_.next();
}

}  // namespace sonde::exporter

// Which check starts when, for one worker: due times, caps and waiting checks. Sans I/O: it is told
// the time and says what to start, so that a day can be tested in a second. Runs nothing itself.
#pragma once

#include "exporter/engine/timer_wheel.hpp"
#include "exporter/metrics/store.hpp"
#include "exporter/plan/job.hpp"
#include "probes/net/clock.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sonde::exporter {

/// The one moment at which monotonic and Unix time were read together. Phases are anchored to Unix
/// time through it, so that they are the same in every replica and after a restart.
struct TimeAnchor {
    probes::net::TimePoint monotonic;
    probes::net::UnixTime unix_time;
};

/// What the per-host cap counts together: the url's host and port.
[[nodiscard]] std::string host_key(const Job& job);

/// Where in its interval a target's checks lie: a hash of its name, below `interval`.
[[nodiscard]] std::chrono::nanoseconds phase_of(std::string_view name,
                                                std::chrono::nanoseconds interval);

/// The first moment after `now` that is on phase.
[[nodiscard]] probes::net::TimePoint next_on_phase(std::string_view name,
                                                   std::chrono::nanoseconds interval,
                                                   const TimeAnchor& anchor,
                                                   probes::net::TimePoint now);

/// What a check came to; `nothing`: it was cancelled, or says nothing of its target.
enum class CheckEnd : std::uint8_t { success, failure, nothing };

class Scheduler {
public:
    using Index = std::uint32_t;
    using TimePoint = probes::net::TimePoint;

    struct Hooks {
        /// Starts the check of job(index), which was due at `due`; finished() must follow, also
        /// from inside.
        std::function<void(Index, TimePoint due)> start;
        /// A check that was due and will not run.
        std::function<void(MetricStore::Id, SkipReason)> skip;
    };

    Scheduler(TimeAnchor anchor, TimePoint now, std::size_t max_in_flight, Hooks hooks);

    /// A new target. Its first check comes within min(interval, 30 s), then on phase. `host_cap`:
    /// how many checks of its host this worker may have under way.
    Index add(std::shared_ptr<const Job> job,
              MetricStore::Id id,
              std::size_t host_cap,
              TimePoint now);

    /// The target is gone: no more starts. A check under way may still finish and is then
    /// forgotten.
    void remove(Index index);

    /// New settings for the same target. The phase moves only with the interval; a check under way
    /// is not touched.
    void replace(Index index, std::shared_ptr<const Job> job, std::size_t host_cap, TimePoint now);

    /// Starts a check that is due, in order and within the caps. Where more are due next_wakeup()
    /// says so: between two starts the caller sees to the checks that are under way, which else
    /// would be measured longer by the starts of all the others.
    void advance(TimePoint now);

    /// A started check has ended; starts what waited for its place. The target's next check, when
    /// it has come due just before (a timeout as long as the interval ends right after), starts
    /// late instead of being skipped. After a failure the target's own settings may want it
    /// checked again at once, instead of such a late one too.
    void finished(Index index, TimePoint now, CheckEnd end = CheckEnd::success);

    /// No further starts (shutdown).
    void stop();

    [[nodiscard]] std::optional<TimePoint> next_wakeup() const;

    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

    /// Valid from add() until remove() and the end of a check under way.
    [[nodiscard]] const std::shared_ptr<const Job>& job(Index index) const {
        return entries_[index].job;
    }

    [[nodiscard]] MetricStore::Id id(Index index) const { return entries_[index].id; }

    /// Whether a result for `index` is still wanted.
    [[nodiscard]] bool is_live(Index index) const { return !entries_[index].removed; }

private:
    struct Host {
        const std::string* key = nullptr;
        std::uint32_t targets = 0;
        std::uint32_t cap = 1;
        std::uint32_t places =
            0;  // taken by checks that run or that wait for the worker's cap only
        std::deque<Index> waiting;
    };

    enum class State : std::uint8_t { idle, waits_for_host, waits_for_worker, running };

    struct Entry {
        std::shared_ptr<const Job> job;
        Host* host = nullptr;   // of the job
        Host* place = nullptr;  // whose place the check under way (or waiting) takes or wants
        TimePoint due;          // of the next check
        TimePoint current_due;  // of the check that waits or runs
        TimePoint started;      // of the check that runs
        std::optional<TimePoint> missed_due;  // of the check that came due while this one runs
        MetricStore::Id id = 0;
        State state = State::idle;
        std::uint8_t rechecks = 0;  // since the last success
        bool on_phase = false;      // `due` is
        bool removed = false;       // while a check of it still runs
    };

    void join_host(Entry& entry, std::size_t host_cap);
    void leave_host(Entry& entry);
    void forget_if_unused(Host& host);
    void on_due(Index index, TimePoint now);
    /// Until when a check that was due at `due` may start late instead of being skipped.
    [[nodiscard]] static TimePoint latest_start(const Entry& entry, TimePoint due);
    /// Why the check that was due at `due` does not run: `entry`'s check under way until `now`
    /// takes too long, or had to wait for room and would have ended in time without.
    [[nodiscard]] static SkipReason why_missed(const Entry& entry, TimePoint due, TimePoint now);
    void enqueue(Index index, TimePoint due, TimePoint now);
    void start_ready(TimePoint now);
    void release_place(Entry& entry);
    void free_entry(Index index);

    TimeAnchor anchor_;
    std::size_t max_in_flight_;
    std::size_t in_flight_ = 0;
    std::uint64_t starts_ = 0;
    bool stopped_ = false;
    bool starting_ = false;  // start_ready() is at work further up the stack
    Hooks hooks_;
    TimerWheel wheel_;
    std::vector<Entry> entries_;
    std::vector<Index> free_;
    std::unordered_map<std::string, Host> hosts_;  // nodes stay in place
    std::deque<Index> ready_;                      // hold their host's place, wait for the worker's
};

}  // namespace sonde::exporter

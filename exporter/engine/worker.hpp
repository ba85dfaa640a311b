// One thread that checks its share of the targets: shared-nothing but for the store. Owns the
// thread, its io_context and everything that runs on it.
#pragma once

#include "exporter/engine/scheduler.hpp"
#include "exporter/metrics/store.hpp"
#include "exporter/plan/job.hpp"
#include "probes/net/resolver.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace sonde::exporter {

class SelfMetrics;

class Worker {
public:
    struct Options {
        std::size_t number = 0;  // the `worker` label
        std::size_t max_in_flight = 1;
        TimeAnchor anchor;
        probes::net::Resolver::Options resolver;
    };

    /// One step of a reload. Results of a removed target are dropped, also of a check under way,
    /// and its place in the store is given back by the worker; one that leaves goes to another
    /// worker and keeps it.
    struct Change {
        enum class What : std::uint8_t { add, replace, remove, leave };
        What what;
        MetricStore::Id id;
        std::shared_ptr<const Job> job;  // null for remove and leave
        std::size_t host_cap = 1;
    };

    /// Starts the thread.
    Worker(Options options, MetricStore& store, SelfMetrics& self);
    /// Joins the thread; without shut_down() the checks under way are cancelled.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Any thread. `done` is called on the worker's thread.

    /// Applies the changes in order, in slices between which checks go on.
    void apply(std::vector<Change> changes, std::function<void()> done);

    /// No new checks; those under way are cancelled after `grace`. `done` comes when none is left.
    void shut_down(std::chrono::nanoseconds grace, std::function<void()> done);

    [[nodiscard]] std::uint64_t resolver_resends() const;
    /// CPU time that the thread has used.
    [[nodiscard]] std::chrono::nanoseconds cpu_time() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::exporter

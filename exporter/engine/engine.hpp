// The workers together: which target lives on which, and how a reload reaches them. Owns placement
// and the caps' division; reads no files and serves nothing.
#pragma once

#include "config/service.hpp"
#include "exporter/metrics/store.hpp"
#include "exporter/plan/plan.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>

namespace sonde::exporter {

class SelfMetrics;

/// Everything here is called on the control context's thread.
class Engine {
public:
    /// Starts the workers, idle. `settings` hold for the engine's life.
    Engine(boost::asio::io_context& control,
           const config::Engine& settings,
           MetricStore& store,
           SelfMetrics& self);
    /// After shut_down() has completed.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// How many workers `settings` ask for on this machine.
    static std::size_t worker_count(const config::Engine& settings);

    /// Moves the workers from the old plan to `plan`; completes when every worker has done so. One
    /// at a time.
    boost::asio::awaitable<void> apply(const PlanDiff& diff, const Plan& plan);

    /// No new checks; those under way are cancelled after `grace`. Completes when all have ended.
    boost::asio::awaitable<void> shut_down(std::chrono::nanoseconds grace);

    /// Refreshes the metrics that are read from the workers (busy ratio, resends).
    void refresh_self_metrics();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::exporter

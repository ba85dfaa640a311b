// What Sonde's own HTTP server serves: the landing page and its list of targets, /metrics, health,
// readiness and reload. Owns routes and their headers; everything behind them is handed in.
#pragma once

#include "exporter/metrics/store.hpp"
#include "exporter/server/server.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <prometheus/collectable.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sonde::exporter {

struct EndpointDependencies {
    const MetricStore& store;
    std::vector<std::shared_ptr<prometheus::Collectable>> self;
    /// Where the walk over all targets for /api/targets runs: at a million targets it takes a
    /// second, in which the server's thread must go on answering. A thread pool of one thread that
    /// outlives the server's connections; the server's own executor is fine for tests.
    boost::asio::any_io_executor background;
    std::function<bool()> ready;
    /// Reloads the configuration; the errors as text, or nothing when it is in force.
    std::function<boost::asio::awaitable<std::optional<std::string>>()> reload;
    /// Answers /debug/probe (debug_probe.hpp).
    HttpHandler debug_probe;
    /// Gets the seconds from a scrape's request to the last piece of its answer.
    std::function<void(double)> observe_scrape;
    std::string version;
};

/// `store` must outlive the handler.
[[nodiscard]] HttpHandler make_endpoints(EndpointDependencies dependencies);

}  // namespace sonde::exporter

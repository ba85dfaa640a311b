// The settings of the program itself: [server], [engine], [log] and [metrics]. Targets are not
// here.
#pragma once

#include "config/table.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sonde::config {

struct Server {
    std::vector<std::string> listen = {
        "0.0.0.0:9115"};  // "host:port", "[v6]:port", ":port", "unix:/path"
    bool operator==(const Server&) const = default;
};

struct Engine {
    std::int64_t workers = 0;  // 0: one for each core
    std::int64_t max_in_flight = 10000;
    std::int64_t max_in_flight_per_host = 20;
    std::string targets_dir;                            // absolute once read; empty: none
    std::vector<std::string> dns_servers;               // is_dns_server(); empty: resolv.conf's
    Duration shutdown_grace = std::chrono::seconds{5};  // checks under way are cancelled after it
    bool operator==(const Engine&) const = default;
};

struct Log {
    std::string level = "info";     // trace debug info warn error
    std::string format = "logfmt";  // or json
    bool operator==(const Log&) const = default;
};

struct Metrics {
    std::vector<double> rtt_buckets = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
    std::vector<std::string>
        extra;  // families beyond the default set, by name; the plan checks the names
    bool operator==(const Metrics&) const = default;
};

struct Service {
    Server server;
    Engine engine;
    Log log;
    Metrics metrics;
    bool operator==(const Service&) const = default;
};

/// Reads (or, when the context documents, describes) the four tables. `root` has the whole main
/// document as its only layer; `directory` is where relative paths in it start.
[[nodiscard]] Service read_service(Table& root, const std::string& directory);

}  // namespace sonde::config

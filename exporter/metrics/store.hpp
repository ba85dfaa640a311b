// Everything Sonde remembers about its targets between two checks: counters, the RTT histogram and
// the last result, in a few hundred bytes each. Owns no text format (exposition) and no schedule.
#pragma once

#include "exporter/metrics/target_filter.hpp"
#include "exporter/plan/job.hpp"
#include "probes/net/clock.hpp"
#include "probes/result.hpp"

#include <prometheus/collectable.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sonde::exporter {

/// Why a check that was due did not run.
enum class SkipReason : std::uint8_t { overrun, overload, count };

[[nodiscard]] std::string_view name(SkipReason reason);

class MetricStore final : public prometheus::Collectable {
public:
    /// A target's place in the store. Never reused while a Cursor made before its removal lives on
    /// the same page position; valid from add() to remove().
    using Id = std::uint32_t;

    /// `rtt_buckets`: ascending upper bounds in seconds without +Inf. `extra`: which families
    /// beyond the default set are exposed.
    /// Throws std::invalid_argument when one of them makes no sense.
    MetricStore(std::vector<double> rtt_buckets, const std::vector<std::string>& extra);
    ~MetricStore() override;

    // All members may be called from any thread. configure, add, update and remove come from the
    // reload; record and skip from the workers; the rest from the thread that serves HTTP. A page
    // of targets is locked for one record or for the formatting of one family over that page, never
    // longer.

    /// Other settings from now on, as the constructor takes them. Other buckets empty every
    /// target's histogram; everything else that is still exposed stays.
    void configure(std::vector<double> rtt_buckets, const std::vector<std::string>& extra);

    Id add(const Job& job);
    /// The target's labels, url, module or interval changed; counters and histogram stay, unless
    /// its kind changed.
    void update(Id id, const Job& job);
    void remove(Id id);
    [[nodiscard]] std::size_t size() const;

    /// The result of a check that started at `started`. Allocates nothing when it has the readings
    /// that the target's last result had. Without effect on an Id that is not in use, like skip().
    void record(Id id, probes::net::UnixTime started, const probes::ProbeResult& result);
    void skip(Id id, SkipReason reason);

    /// The state of one target, for the landing page.
    struct State {
        std::string name;
        std::string url;
        std::string_view kind;
        std::string module;
        Labels labels;
        std::optional<bool> success;  // of the last finished check; nothing before the first
        probes::Failure failure = probes::Failure::none;
        std::string detail;
        std::optional<double> status_code;
        std::optional<double> rtt_seconds;
        double duration_seconds = 0;
        double last_check_unix = 0;
        double interval_seconds = 0;
        std::uint64_t successes = 0;
        std::uint64_t failures = 0;
    };

    /// Calls `visit` for every target, a page at a time (no lock is held during `visit`). Returning
    /// false ends the walk.
    void for_each(const std::function<bool(const State&)>& visit) const;

    /// prometheus-cpp's view of the whole store. Copies everything: for interoperation and tests,
    /// not for /metrics.
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

    /// Which samples an exposition wants.
    struct Selection {
        std::vector<std::string> families;  // names; empty: all that are on
        TargetFilter targets{};
    };

    /// A resumable walk over all samples, family by family: what exposition streams from.
    class Cursor;  // exporter/metrics/cursor.hpp
    friend class Cursor;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::exporter

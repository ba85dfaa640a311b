// The list of targets that the landing page shows: filtered, counted, sorted and cut to one page.
// Owns the query and the JSON; the targets come from MetricStore one by one and are not kept.
#pragma once

#include "exporter/metrics/store.hpp"
#include "exporter/server/server.hpp"
#include "probes/failure.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sonde::exporter {

enum class TargetState : std::uint8_t { down, waiting, up, count };

[[nodiscard]] std::string_view name(TargetState state);
[[nodiscard]] TargetState state_of(const MetricStore::State& target);

enum class TargetOrder : std::uint8_t {
    state,
    name,
    status,
    rtt,
    last_check,
    interval,
    success_rate,
    reason,
    count
};

struct TargetQuery {
    static constexpr std::size_t max_limit = 1000;
    static constexpr std::size_t max_window = 10'000;  // limit + offset: what is held while sorting

    std::vector<std::string> words;  // in lower case; each is in the name, the url or a label value
    std::optional<TargetState> state;
    std::optional<probes::Failure> reason;
    TargetOrder order = TargetOrder::state;
    bool descending = false;
    std::size_t limit = 100;
    std::size_t offset = 0;
};

/// From q, state, reason, sort, order (asc or desc), limit and offset. On a value that is not
/// understood returns nothing and says in `error` what would be right. Too large a limit or offset
/// is cut to what is allowed.
[[nodiscard]] std::optional<TargetQuery> parse_target_query(const HttpRequest& request,
                                                            std::string& error);

/// Collects one page. Memory: limit + offset targets.
class TargetList {
public:
    explicit TargetList(TargetQuery query);

    void add(const MetricStore::State& target);

    /// {version, now, total, up, down, waiting, reasons, matched, offset, limit, targets}. `total`
    /// is every target; up, down, waiting and reasons count what `q` finds, whatever state or
    /// reason is asked for, so that a page can show what each filter would give; `matched` is what
    /// all filters leave. Ends the collection.
    [[nodiscard]] std::string to_json(std::string_view version, double now_unix) &&;

private:
    TargetQuery query_;
    std::size_t total_ = 0;
    std::size_t matched_ = 0;
    std::array<std::size_t, static_cast<std::size_t>(TargetState::count)> by_state_{};
    std::array<std::size_t, static_cast<std::size_t>(probes::Failure::count)> by_reason_{};
    std::vector<MetricStore::State> best_;  // a heap whose front is the worst of the best
};

}  // namespace sonde::exporter

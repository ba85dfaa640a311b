// Filtering and ordering of targets in one pass with a bounded heap, and their JSON.
#include "exporter/web/target_list.hpp"

#include "exporter/number_text.hpp"
#include "exporter/web/json.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <compare>
#include <utility>

namespace sonde::exporter {

namespace {

using State = MetricStore::State;

constexpr std::array<std::string_view, static_cast<std::size_t>(TargetOrder::count)> order_names = {
    "state", "name", "status", "rtt", "last_check", "interval", "success_rate", "reason"};

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool contains(std::string_view text, std::string_view lower_case_word) {
    const auto found = std::ranges::search(
        text, lower_case_word, [](char left, char right) { return lower(left) == right; });
    return !found.empty();
}

bool matches(const State& target, const std::string& word) {
    return contains(target.name, word) || contains(target.url, word) ||
           std::ranges::any_of(target.labels,
                               [&](const auto& label) { return contains(label.second, word); });
}

std::optional<double> success_rate(const State& target) {
    const auto all = target.successes + target.failures;
    return all == 0
               ? std::nullopt
               : std::optional(static_cast<double>(target.successes) / static_cast<double>(all));
}

std::strong_ordering compare_names(const State& left, const State& right) {
    const auto no_case = std::lexicographical_compare_three_way(
        left.name.begin(),
        left.name.end(),
        right.name.begin(),
        right.name.end(),
        [](char one, char other) { return lower(one) <=> lower(other); });
    return no_case != 0 ? no_case : left.name <=> right.name;
}

/// What a column says of a target; nothing where its cell is empty.
std::optional<double> key(const State& target, TargetOrder order) {
    switch (order) {
        case TargetOrder::state:
            return static_cast<double>(state_of(target));
        case TargetOrder::status:
            return target.status_code;
        case TargetOrder::rtt:
            return target.rtt_seconds;
        case TargetOrder::last_check:
            return target.success ? std::optional(target.last_check_unix) : std::nullopt;
        case TargetOrder::interval:
            return target.interval_seconds;
        case TargetOrder::success_rate:
            return success_rate(target);
        case TargetOrder::name:
        case TargetOrder::reason:
        case TargetOrder::count:
            break;
    }
    return std::nullopt;
}

/// -1: left comes first, 1: right does, 0: they are alike. Empty cells come last either way.
int compare(const State& left, const State& right, TargetOrder order, bool descending) {
    const int sign = descending ? -1 : 1;
    if (order == TargetOrder::name) {
        const auto names = compare_names(left, right);
        return names < 0 ? -sign : (names > 0 ? sign : 0);
    }
    if (order == TargetOrder::reason) {
        const bool left_down = state_of(left) == TargetState::down;
        const bool right_down = state_of(right) == TargetState::down;
        if (left_down != right_down) {
            return left_down ? -1 : 1;
        }
        const auto names =
            left_down ? probes::name(left.failure).compare(probes::name(right.failure)) : 0;
        return names < 0 ? -sign : (names > 0 ? sign : 0);
    }
    const auto one = key(left, order);
    const auto other = key(right, order);
    if (!one || !other) {
        return one ? -1 : (other ? 1 : 0);
    }
    return *one < *other ? -sign : (*one > *other ? sign : 0);
}

struct Before {
    const TargetQuery& query;

    bool operator()(const State& left, const State& right) const {
        const int result = compare(left, right, query.order, query.descending);
        return result != 0 ? result < 0 : compare_names(left, right) < 0;
    }
};

void append_member(std::string& out, std::string_view name, const auto& value) {
    if (out.back() != '{') {
        out += ',';
    }
    append_json(out, name);
    out += ':';
    append_json(out, value);
}

void append_member(std::string& out, std::string_view name, const std::optional<double>& value) {
    append_member(out, name, value.value_or(std::numeric_limits<double>::quiet_NaN()));
}

void append_target(std::string& out, const State& target) {
    const auto state = state_of(target);
    out += '{';
    append_member(out, "name", std::string_view(target.name));
    append_member(out, "url", std::string_view(target.url));
    append_member(out, "kind", target.kind);
    append_member(out, "module", std::string_view(target.module));
    append_member(out, "state", name(state));
    append_member(out,
                  "reason",
                  state == TargetState::down ? probes::name(target.failure) : std::string_view{});
    append_member(out, "detail", std::string_view(target.detail));
    append_member(out, "status", target.status_code);
    append_member(out, "rtt", target.rtt_seconds);
    append_member(out, "duration", target.duration_seconds);
    append_member(
        out, "last_check", target.success ? std::optional(target.last_check_unix) : std::nullopt);
    append_member(out, "interval", target.interval_seconds);
    append_member(out, "successes", static_cast<double>(target.successes));
    append_member(out, "failures", static_cast<double>(target.failures));
    out += ",\"labels\":{";
    for (const auto& [label, value] : target.labels) {
        append_member(out, label, std::string_view(value));
    }
    out += "}}";
}

bool read_number(const HttpRequest& request,
                 std::string_view name,
                 std::size_t& value,
                 std::string& error) {
    const auto text = request.parameter(name);
    if (!text) {
        return true;
    }
    if (const auto number = number_in<std::size_t>(*text)) {
        value = *number;
        return true;
    }
    error = fmt::format("{} must be a whole number", name);
    return false;
}

/// The place of `text` in a list of names; on failure lists them in `error`.
template <typename Enum>
bool read_name(const HttpRequest& request,
               std::string_view parameter,
               std::optional<Enum>& value,
               auto name_of,
               std::string& error) {
    const auto text = request.parameter(parameter);
    if (!text || text->empty()) {
        return true;
    }
    std::string known;
    for (std::size_t index = 0; index < static_cast<std::size_t>(Enum::count); ++index) {
        const auto name = name_of(static_cast<Enum>(index));
        if (name == *text) {
            value = static_cast<Enum>(index);
            return true;
        }
        known += known.empty() ? "" : ", ";
        known += name;
    }
    error = fmt::format("{} must be one of: {}", parameter, known);
    return false;
}

}  // namespace

std::string_view name(TargetState state) {
    static constexpr std::array<std::string_view, 3> names = {"down", "waiting", "up"};
    return names.at(static_cast<std::size_t>(state));
}

TargetState state_of(const State& target) {
    if (!target.success) {
        return TargetState::waiting;
    }
    return *target.success ? TargetState::up : TargetState::down;
}

std::optional<TargetQuery> parse_target_query(const HttpRequest& request, std::string& error) {
    TargetQuery query;
    std::string_view rest = request.parameter("q").value_or("");
    while (!rest.empty()) {
        const auto word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        if (!word.empty()) {
            auto& added = query.words.emplace_back(word);
            std::ranges::transform(added, added.begin(), lower);
        }
    }
    std::optional<TargetOrder> order;
    const auto name_of_order = [](TargetOrder value) {
        return order_names.at(static_cast<std::size_t>(value));
    };
    const auto name_of_state = [](TargetState value) {
        return name(value);
    };
    const auto name_of_reason = [](probes::Failure value) {
        return probes::name(value);
    };
    if (!read_name(request, "sort", order, name_of_order, error) ||
        !read_name(request, "state", query.state, name_of_state, error) ||
        !read_name(request, "reason", query.reason, name_of_reason, error) ||
        !read_number(request, "limit", query.limit, error) ||
        !read_number(request, "offset", query.offset, error)) {
        return std::nullopt;
    }
    query.order = order.value_or(TargetOrder::state);
    const auto direction = request.parameter("order").value_or("asc");
    if (direction != "asc" && direction != "desc") {
        error = "order must be one of: asc, desc";
        return std::nullopt;
    }
    query.descending = direction == "desc";
    query.limit = std::clamp<std::size_t>(query.limit, 1, TargetQuery::max_limit);
    query.offset = std::min(query.offset, TargetQuery::max_window - query.limit);
    return query;
}

TargetList::TargetList(TargetQuery query) : query_(std::move(query)) {}

void TargetList::add(const State& target) {
    ++total_;
    for (const auto& word : query_.words) {
        if (!matches(target, word)) {
            return;
        }
    }
    const auto state = state_of(target);
    ++by_state_.at(static_cast<std::size_t>(state));
    if (state == TargetState::down) {
        ++by_reason_.at(static_cast<std::size_t>(target.failure));
    }
    if ((query_.state && *query_.state != state) ||
        (query_.reason && (state != TargetState::down || *query_.reason != target.failure))) {
        return;
    }
    ++matched_;
    const Before before{query_};
    if (best_.size() == query_.offset + query_.limit) {
        if (!before(target, best_.front())) {
            return;
        }
        std::ranges::pop_heap(best_, before);
        best_.back() = target;
    } else {
        best_.push_back(target);
    }
    std::ranges::push_heap(best_, before);
}

std::string TargetList::to_json(std::string_view version, double now_unix) && {
    std::ranges::sort_heap(best_, Before{query_});
    std::string out = "{";
    append_member(out, "version", version);
    append_member(out, "now", now_unix);
    append_member(out, "total", static_cast<double>(total_));
    for (const auto state : {TargetState::up, TargetState::down, TargetState::waiting}) {
        append_member(
            out, name(state), static_cast<double>(by_state_.at(static_cast<std::size_t>(state))));
    }
    out += ",\"reasons\":{";
    for (std::size_t index = 0; index < by_reason_.size(); ++index) {
        if (by_reason_.at(index) > 0) {
            append_member(out,
                          probes::name(static_cast<probes::Failure>(index)),
                          static_cast<double>(by_reason_.at(index)));
        }
    }
    out += '}';
    append_member(out, "matched", static_cast<double>(matched_));
    append_member(out, "offset", static_cast<double>(query_.offset));
    append_member(out, "limit", static_cast<double>(query_.limit));
    out += ",\"targets\":[";
    for (auto index = std::min(query_.offset, best_.size()); index < best_.size(); ++index) {
        append_target(out, best_[index]);
        out += index + 1 < best_.size() ? "," : "";
    }
    out += "]}\n";
    return out;
}

}  // namespace sonde::exporter

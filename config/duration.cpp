// Parsing and formatting of durations and sizes.
#include "config/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace sonde::config {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

constexpr std::array<Unit, 7> time_units{{{"d", 86'400'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"s", 1'000'000'000},
                                          {"ms", 1'000'000},
                                          {"us", 1'000},
                                          {"ns", 1}}};

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> byte_units{
    {{"", 1},
     {"B", 1},
     {"kB", 1'000},
     {"MB", 1'000'000},
     {"GB", 1'000'000'000},
     {"KiB", 1ULL << 10U},
     {"MiB", 1ULL << 20U},
     {"GiB", 1ULL << 30U}}};

/// Takes the digits that `text` begins with; nothing when there are none or too many.
template <typename Number>
std::optional<Number> take_number(std::string_view& text) {
    if (text.empty() || text.front() < '0' || text.front() > '9') {
        return std::nullopt;  // from_chars alone would take a sign
    }
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    if (text.empty()) {
        return std::nullopt;
    }
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    while (!text.empty()) {
        const std::optional<std::int64_t> number = take_number<std::int64_t>(text);
        const std::size_t letters = std::min(text.find_first_of("0123456789"), text.size());
        const std::string_view name = text.substr(0, letters);
        while (next_unit < time_units.size() && time_units.at(next_unit).name != name) {
            ++next_unit;
        }
        if (!number || next_unit == time_units.size()) {
            return std::nullopt;
        }
        text.remove_prefix(letters);
        const std::int64_t unit = time_units.at(next_unit).nanoseconds;
        if (*number > (std::numeric_limits<std::int64_t>::max() - total) / unit) {
            return std::nullopt;
        }
        total += *number * unit;
        ++next_unit;
    }
    return Duration{total};
}

std::string format_duration(Duration duration) {
    std::int64_t rest = duration.count();
    if (rest == 0) {
        return "0s";
    }
    std::string out;
    for (const Unit& unit : time_units) {
        if (rest >= unit.nanoseconds) {
            out += std::to_string(rest / unit.nanoseconds);
            out += unit.name;
            rest %= unit.nanoseconds;
        }
    }
    return out;
}

std::optional<Bytes> parse_bytes(std::string_view text) {
    const std::optional<std::uint64_t> number = take_number<std::uint64_t>(text);
    if (!number) {
        return std::nullopt;
    }
    for (const auto& [name, size] : byte_units) {
        if (name == text) {
            if (*number > std::numeric_limits<std::uint64_t>::max() / size) {
                return std::nullopt;
            }
            return Bytes{*number * size};
        }
    }
    return std::nullopt;
}

std::string format_bytes(Bytes bytes) {
    static constexpr std::array<std::string_view, 4> names{"B", "KiB", "MiB", "GiB"};
    std::size_t unit = 0;
    std::uint64_t count = bytes.count;
    while (unit + 1 < names.size() && count != 0 && count % 1024 == 0) {
        count /= 1024;
        ++unit;
    }
    return std::to_string(count) + std::string{names.at(unit)};
}

}  // namespace sonde::config

// Reading and writing of status sets.
#include "probes/wire/status_set.hpp"

#include "probes/wire/printable.hpp"

#include <cstddef>
#include <optional>

namespace sonde::probes::wire {

namespace {

constexpr std::size_t first_code = 100;
constexpr std::size_t last_code = 999;

std::optional<std::size_t> code_of(std::string_view text) {
    if (text.size() != 3) {
        return std::nullopt;
    }
    std::size_t code = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') {
            return std::nullopt;
        }
        code = code * 10 + static_cast<std::size_t>(digit - '0');
    }
    return code >= first_code ? std::optional{code} : std::nullopt;
}

struct Range {
    std::size_t first;
    std::size_t last;
};

std::optional<Range> range_of(std::string_view item) {
    if (const auto code = code_of(item)) {
        return Range{*code, *code};
    }
    if (item.size() == 3 && item[0] >= '1' && item[0] <= '9' &&
        (item.substr(1) == "xx" || item.substr(1) == "XX")) {
        const auto first = static_cast<std::size_t>(item[0] - '0') * 100;
        return Range{first, first + 99};
    }
    const auto dash = item.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto first = code_of(item.substr(0, dash));
    const auto last = code_of(item.substr(dash + 1));
    return first && last ? std::optional{Range{*first, *last}} : std::nullopt;
}

}  // namespace

bool StatusSet::add(std::string_view item, std::string& error) {
    const auto range = range_of(item);
    if (!range) {
        error = '"' + printable(item) +
                "\" is no status: write a code (404), a range (\"200-299\") or a class (\"2xx\")";
        return false;
    }
    if (range->first > range->last) {
        error = "the range \"" + printable(item) + "\" runs backwards";
        return false;
    }
    for (auto code = range->first; code <= range->last; ++code) {
        codes_.set(code);
    }
    return true;
}

bool StatusSet::add(long long code, std::string& error) {
    if (code < static_cast<long long>(first_code) || code > static_cast<long long>(last_code)) {
        error = std::to_string(code) + " is no status: codes run from 100 to 999";
        return false;
    }
    codes_.set(static_cast<std::size_t>(code));
    return true;
}

std::string StatusSet::text() const {
    std::string result;
    const auto append = [&result](const std::string& item) {
        result += (result.empty() ? "" : ", ") + item;
    };
    for (std::size_t code = first_code; code <= last_code; ++code) {
        if (!codes_.test(code)) {
            continue;
        }
        auto last = code;
        while (last < last_code && codes_.test(last + 1)) {
            ++last;
        }
        // Whole classes at the front of a run are written as classes.
        while (code % 100 == 0 && code + 99 <= last) {
            append(std::to_string(code / 100) + "xx");
            code += 100;
        }
        if (code == last) {
            append(std::to_string(code));
        } else if (code < last) {
            append(std::to_string(code) + '-' + std::to_string(last));
        }
        code = last;
    }
    return result;
}

}  // namespace sonde::probes::wire

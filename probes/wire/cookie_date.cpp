#include "probes/wire/cookie_date.hpp"

#include "probes/url_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace sonde::probes::wire {

namespace {

bool is_delimiter(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
           (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

/// Takes `least` to `most` digits from the front of `text`; nothing when there are fewer or more.
std::optional<unsigned> take_number(std::string_view& text, std::size_t least, std::size_t most) {
    const auto* const end = std::ranges::find_if_not(text, is_url_digit);
    const auto digits = static_cast<std::size_t>(end - text.begin());
    if (digits < least || digits > most) {
        return std::nullopt;
    }
    unsigned number = 0;
    for (const char digit : text.substr(0, digits)) {
        number = number * 10 + static_cast<unsigned>(digit - '0');
    }
    text.remove_prefix(digits);
    return number;
}

/// What follows a number is of no interest in this grammar, but that it is no digit.
std::optional<unsigned> leading_number(std::string_view text, std::size_t least, std::size_t most) {
    return take_number(text, least, most);
}

struct Time {
    unsigned hour;
    unsigned minute;
    unsigned second;
};

std::optional<Time> time_of(std::string_view token) {
    std::array<unsigned, 3> fields{};
    for (std::size_t index = 0; index < fields.size(); ++index) {
        if (index > 0) {
            if (!token.starts_with(':')) {
                return std::nullopt;
            }
            token.remove_prefix(1);
        }
        const auto field = take_number(token, 1, 2);
        if (!field) {
            return std::nullopt;
        }
        fields[index] = *field;
    }
    return Time{fields[0], fields[1], fields[2]};
}

std::optional<unsigned> month_of(std::string_view token) {
    constexpr std::string_view months = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (token.size() < 3) {
        return std::nullopt;
    }
    const std::string start = url_lower(token.substr(0, 3));
    for (std::size_t at = 0; at < months.size(); at += 3) {
        if (months.substr(at, 3) == start) {
            return static_cast<unsigned>(at / 3 + 1);
        }
    }
    return std::nullopt;
}

struct Found {
    std::optional<Time> time;
    std::optional<unsigned> day;
    std::optional<unsigned> month;
    std::optional<unsigned> year;

    /// A token becomes the first thing it can be of those that are not known yet.
    void take(std::string_view token) {
        if (!time && (time = time_of(token))) {
            return;
        }
        if (!day && (day = leading_number(token, 1, 2))) {
            return;
        }
        if (!month && (month = month_of(token))) {
            return;
        }
        if (!year) {
            year = leading_number(token, 2, 4);
        }
    }
};

std::optional<std::int64_t> seconds_of(const Found& found) {
    if (!found.time || !found.day || !found.month || !found.year) {
        return std::nullopt;
    }
    unsigned year = *found.year;
    if (year < 70) {
        year += 2000;
    } else if (year < 100) {
        year += 1900;
    }
    const auto& time = *found.time;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                           std::chrono::month{*found.month},
                                           std::chrono::day{*found.day}};
    if (year < 1601 || !date.ok() || time.hour > 23 || time.minute > 59 || time.second > 59) {
        return std::nullopt;
    }
    const std::chrono::seconds since = std::chrono::sys_days{date}.time_since_epoch() +
                                       std::chrono::hours{time.hour} +
                                       std::chrono::minutes{time.minute};
    return since.count() + time.second;
}

}  // namespace

std::optional<std::int64_t> cookie_date(std::string_view text) {
    Found found;
    while (!text.empty()) {
        const auto* const end = std::ranges::find_if(text, is_delimiter);
        const auto size = static_cast<std::size_t>(end - text.begin());
        found.take(text.substr(0, size));
        text.remove_prefix(std::min(size + 1, text.size()));
    }
    return seconds_of(found);
}

}  // namespace sonde::probes::wire

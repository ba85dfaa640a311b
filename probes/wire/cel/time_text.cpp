// Reading and writing of durations and timestamps.
#include "probes/wire/cel/time_text.hpp"

#include <array>
#include <chrono>

namespace sonde::probes::wire::cel {

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t first_second = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t last_second = 253'402'300'799;   // 9999-12-31T23:59:59Z

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

// "ms" before "m", and both signs that people write for micro.
constexpr std::array<Unit, 8> units = {Unit{"ns", 1},
                                       Unit{"us", 1'000},
                                       Unit{"\xc2\xb5s", 1'000},
                                       Unit{"\xce\xbcs", 1'000},
                                       Unit{"ms", 1'000'000},
                                       Unit{"s", second},
                                       Unit{"m", 60 * second},
                                       Unit{"h", 3600 * second}};

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

/// Takes exactly `count` digits from the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) {
        return std::nullopt;
    }
    int number = 0;
    for (const char digit : text.substr(0, count)) {
        if (!is_digit(digit)) {
            return std::nullopt;
        }
        number = number * 10 + (digit - '0');
    }
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// One number with its unit, in nanoseconds. Negative totals reach one further than positive ones,
/// so everything is summed up below zero.
std::optional<std::int64_t> take_part(std::string_view& text) {
    std::int64_t whole = 0;
    double fraction = 0;
    double scale = 1;
    bool any = false;
    for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), any = true) {
        if (__builtin_mul_overflow(whole, std::int64_t{10}, &whole) ||
            __builtin_sub_overflow(whole, std::int64_t{text.front() - '0'}, &whole)) {
            return std::nullopt;
        }
    }
    if (take(text, '.')) {
        for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), any = true) {
            if (scale < 1e18) {
                fraction = fraction * 10 + (text.front() - '0');
                scale *= 10;
            }
        }
    }
    for (const auto& unit : units) {
        if (any && text.starts_with(unit.name)) {
            text.remove_prefix(unit.name.size());
            const auto part = static_cast<std::int64_t>(
                fraction * (static_cast<double>(unit.nanoseconds) / scale));
            if (__builtin_mul_overflow(whole, unit.nanoseconds, &whole) ||
                __builtin_sub_overflow(whole, part, &whole)) {
                return std::nullopt;
            }
            return whole;
        }
    }
    return std::nullopt;
}

struct TimeOfDay {
    int hour = 0;
    int minute = 0;
    int second = 0;
};

std::optional<TimeOfDay> take_time_of_day(std::string_view& text) {
    const auto hour = take_digits(text, 2);
    const bool first = take(text, ':');
    const auto minute = take_digits(text, 2);
    const bool last = take(text, ':');
    const auto seconds = take_digits(text, 2);
    if (!hour || !first || !minute || !last || !seconds || *hour > 23 || *minute > 59 ||
        *seconds > 59) {
        return std::nullopt;
    }
    return TimeOfDay{*hour, *minute, *seconds};
}

/// ".5" and the like; digits beyond the nanosecond are read and dropped.
std::optional<std::int32_t> take_fraction(std::string_view& text) {
    if (!take(text, '.')) {
        return 0;
    }
    if (text.empty() || !is_digit(text.front())) {
        return std::nullopt;
    }
    std::int32_t nanoseconds = 0;
    std::int32_t weight = second / 10;
    for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), weight /= 10) {
        nanoseconds += weight * (text.front() - '0');
    }
    return nanoseconds;
}

void append_fraction(std::string& text, std::int64_t nanoseconds) {
    if (nanoseconds == 0) {
        return;
    }
    auto digits = std::to_string(second + nanoseconds);
    digits[0] = '.';
    while (digits.back() == '0') {
        digits.pop_back();
    }
    text += digits;
}

void append_padded(std::string& text,
                   std::int64_t number,
                   std::size_t width,
                   std::string_view end) {
    const auto digits = std::to_string(number);
    text.append(width > digits.size() ? width - digits.size() : 0, '0');
    text += digits;
    text += end;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        text.remove_prefix(1);
    }
    if (text == "0") {
        return Duration{};
    }
    std::int64_t below_zero = 0;
    bool any = false;
    for (; !text.empty(); any = true) {
        const auto part = take_part(text);
        if (!part || __builtin_add_overflow(below_zero, *part, &below_zero)) {
            return std::nullopt;
        }
    }
    if (!any || (!negative && __builtin_sub_overflow(std::int64_t{0}, below_zero, &below_zero))) {
        return std::nullopt;
    }
    return Duration{below_zero};
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
    const auto year = take_digits(text, 4);
    const bool first = take(text, '-');
    const auto month = take_digits(text, 2);
    const bool last = take(text, '-');
    const auto day = take_digits(text, 2);
    if (!year || !first || !month || !last || !day || !take(text, 'T')) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    const auto time = take_time_of_day(text);
    const auto fraction = time ? take_fraction(text) : std::nullopt;
    const bool signed_zone = !text.empty() && (text.front() == '+' || text.front() == '-');
    if (!date.ok() || !fraction || (text != "Z" && !(signed_zone && text.size() == 6))) {
        return std::nullopt;
    }
    const auto offset = zone_offset(text);
    if (!offset) {
        return std::nullopt;
    }
    const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    const int of_day = (time->hour * 60 + time->minute) * 60 + time->second;
    return make_timestamp(days * 86'400 + of_day - *offset, *fraction);
}

std::string to_string(Duration duration) {
    // The smallest one has no positive counterpart, its parts have.
    const auto whole = duration.nanoseconds / second;
    const auto rest = duration.nanoseconds % second;
    std::string text = duration.nanoseconds < 0 ? "-" : "";
    text += std::to_string(whole < 0 ? -whole : whole);
    append_fraction(text, rest < 0 ? -rest : rest);
    return text + 's';
}

std::string to_string(Timestamp timestamp) {
    std::string text;
    append_padded(text, calendar_field(timestamp, CalendarField::year), 4, "-");
    append_padded(text, calendar_field(timestamp, CalendarField::month) + 1, 2, "-");
    append_padded(text, calendar_field(timestamp, CalendarField::date), 2, "T");
    append_padded(text, calendar_field(timestamp, CalendarField::hours), 2, ":");
    append_padded(text, calendar_field(timestamp, CalendarField::minutes), 2, ":");
    append_padded(text, calendar_field(timestamp, CalendarField::seconds), 2, "");
    append_fraction(text, timestamp.nanoseconds);
    return text + 'Z';
}

std::optional<Timestamp> make_timestamp(std::int64_t seconds, std::int64_t nanoseconds) {
    auto carry = nanoseconds / second;
    auto rest = nanoseconds % second;
    if (rest < 0) {
        rest += second;
        --carry;
    }
    if (__builtin_add_overflow(seconds, carry, &seconds) || seconds < first_second ||
        seconds > last_second) {
        return std::nullopt;
    }
    return Timestamp{seconds, static_cast<std::int32_t>(rest)};
}

std::optional<Duration> difference(Timestamp later, Timestamp earlier) {
    // Neither difference can overflow: the years are bounded.
    auto nanoseconds = later.seconds - earlier.seconds;
    const std::int64_t rest = std::int64_t{later.nanoseconds} - earlier.nanoseconds;
    if (__builtin_mul_overflow(nanoseconds, second, &nanoseconds) ||
        __builtin_add_overflow(nanoseconds, rest, &nanoseconds)) {
        return std::nullopt;
    }
    return Duration{nanoseconds};
}

std::optional<Timestamp> moved(Timestamp timestamp, Duration by) {
    return make_timestamp(timestamp.seconds + by.nanoseconds / second,
                          timestamp.nanoseconds + by.nanoseconds % second);
}

std::optional<std::int64_t> zone_offset(std::string_view zone) {
    if (zone.empty() || zone == "UTC" || zone == "Z") {
        return 0;
    }
    const bool west = zone.front() == '-';
    if (west || zone.front() == '+') {
        zone.remove_prefix(1);
    }
    const auto hours = take_digits(zone, 2);
    const bool colon = take(zone, ':');
    const auto minutes = take_digits(zone, 2);
    if (!hours || !colon || !minutes || !zone.empty() || *hours > 23 || *minutes > 59) {
        return std::nullopt;
    }
    const int minutes_off = *hours * 60 + *minutes;
    const std::int64_t offset = minutes_off * std::int64_t{60};
    return west ? -offset : offset;
}

std::int64_t calendar_field(Timestamp timestamp, CalendarField field) {
    const std::chrono::sys_seconds time{std::chrono::seconds{timestamp.seconds}};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    switch (field) {
        case CalendarField::year:
            return static_cast<int>(date.year());
        case CalendarField::month:
            return static_cast<unsigned>(date.month()) - 1;
        case CalendarField::day_of_year:
            return (day - std::chrono::sys_days{date.year() / std::chrono::January / 1}).count();
        case CalendarField::day_of_month:
            return static_cast<unsigned>(date.day()) - 1;
        case CalendarField::date:
            return static_cast<unsigned>(date.day());
        case CalendarField::day_of_week:
            return std::chrono::weekday{day}.c_encoding();
        case CalendarField::hours:
            return clock.hours().count();
        case CalendarField::minutes:
            return clock.minutes().count();
        case CalendarField::seconds:
            return clock.seconds().count();
        case CalendarField::milliseconds:
            break;
    }
    return timestamp.nanoseconds / 1'000'000;
}

std::optional<std::int64_t> duration_field(Duration duration, CalendarField field) {
    switch (field) {
        case CalendarField::hours:
            return duration.nanoseconds / (3600 * second);
        case CalendarField::minutes:
            return duration.nanoseconds / (60 * second);
        case CalendarField::seconds:
            return duration.nanoseconds / second;
        case CalendarField::milliseconds:
            return duration.nanoseconds / 1'000'000;
        default:
            return std::nullopt;
    }
}

}  // namespace sonde::probes::wire::cel

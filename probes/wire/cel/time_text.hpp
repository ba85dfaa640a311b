// Durations and timestamps as text, and a timestamp's place in the calendar.
#pragma once

#include "probes/wire/cel/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::probes::wire::cel {

/// As Go's time.ParseDuration, which cel-go uses: "1h30m", "-1.5s", "300ms", "0".
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

/// RFC 3339: "2026-01-31T23:59:59.5+01:00".
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

/// In seconds: "5400s", "-0.25s".
[[nodiscard]] std::string to_string(Duration duration);

/// RFC 3339 in UTC, with as many digits of a second as it has.
[[nodiscard]] std::string to_string(Timestamp timestamp);

/// Nothing: outside the years 1 to 9999.
[[nodiscard]] std::optional<Timestamp> make_timestamp(std::int64_t seconds,
                                                      std::int64_t nanoseconds);

/// Nothing: a duration cannot hold it (292 years).
[[nodiscard]] std::optional<Duration> difference(Timestamp later, Timestamp earlier);
[[nodiscard]] std::optional<Timestamp> moved(Timestamp timestamp, Duration by);

/// Seconds east of UTC of "UTC", "Z", "" and "+02:00" ("02:00" too). Names of places are not known:
/// they would need a time zone database at hand.
[[nodiscard]] std::optional<std::int64_t> zone_offset(std::string_view zone);

enum class CalendarField : std::uint8_t {
    year,
    month,         // from 0
    day_of_year,   // from 0
    day_of_month,  // from 0
    date,          // from 1
    day_of_week,   // Sunday is 0
    hours,
    minutes,
    seconds,
    milliseconds
};

[[nodiscard]] std::int64_t calendar_field(Timestamp timestamp, CalendarField field);

/// Of a duration the whole of it in hours, minutes, seconds or milliseconds; nothing for dates.
[[nodiscard]] std::optional<std::int64_t> duration_field(Duration duration, CalendarField field);

}  // namespace sonde::probes::wire::cel

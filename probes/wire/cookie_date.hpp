// Dates of cookies: the forgiving algorithm of RFC 6265 section 5.1.1, not the dates of HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sonde::probes::wire {

/// Seconds since 1970 (UTC); nothing when the text is no date or names a day that never was.
[[nodiscard]] std::optional<std::int64_t> cookie_date(std::string_view text);

}  // namespace sonde::probes::wire

// Durations and sizes as people write them: "1m30s", "64MiB". Owns nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::config {

using Duration = std::chrono::nanoseconds;

/// A number of bytes, written `65536` or `"64MiB"` (kB, MB, GB, KiB, MiB, GiB).
struct Bytes {
    std::uint64_t count = 0;
    bool operator==(const Bytes&) const = default;
};

/// Whole numbers with units d h m s ms us ns, the largest first, each at most once, nothing between
/// them: "500ms", "1m30s", "2h", "1d". Nothing when `text` is anything else or over 292 years.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

/// The shortest text that parse_duration reads as `duration` (not negative).
[[nodiscard]] std::string format_duration(Duration duration);

/// "64MiB", "10kB", "512B" or "512"; nothing when `text` is anything else or does not fit.
[[nodiscard]] std::optional<Bytes> parse_bytes(std::string_view text);

/// In the largest binary unit that divides it: "64MiB", "1000B".
[[nodiscard]] std::string format_bytes(Bytes bytes);

}  // namespace sonde::config

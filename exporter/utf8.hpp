// UTF-8 in text that others wrote: where a character ends, and what stands for broken ones.
#pragma once

#include <string>
#include <string_view>

namespace sonde::exporter {

/// U+FFFD, for each byte that belongs to no character.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// The length of the well-formed sequence (Unicode 15, table 3-7) that `text` begins with; 0: it is
/// ill-formed, or `text` is empty.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// `text`, with bytes that belong to no character replaced.
[[nodiscard]] std::string repaired_utf8(std::string_view text);

}  // namespace sonde::exporter

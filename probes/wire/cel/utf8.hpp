// UTF-8 as far as the language looks into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sonde::probes::wire::cel {

/// Code points of valid UTF-8.
[[nodiscard]] std::size_t count_code_points(std::string_view text);

/// As Unicode has it: no surrogates, nothing overlong, nothing beyond U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes);

/// False: it is a surrogate or beyond U+10FFFF, nothing was appended.
bool append_code_point(std::string& text, std::uint32_t code_point);

}  // namespace sonde::probes::wire::cel

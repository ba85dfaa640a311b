// Text without the blanks around it.
#pragma once

#include <string_view>

namespace sonde::probes {

/// `blanks`: what counts as one; those of header fields (RFC 9110 section 5.6.3) unless said.
[[nodiscard]] constexpr std::string_view trim(std::string_view text,
                                              std::string_view blanks = " \t") {
    const auto begin = text.find_first_not_of(blanks);
    return begin == std::string_view::npos
               ? std::string_view{}
               : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace sonde::probes

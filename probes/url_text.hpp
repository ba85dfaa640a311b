// Characters of URLs and their percent-encoding (RFC 3986 sections 2 and 3).
#pragma once

#include <string>
#include <string_view>

namespace sonde::probes {

[[nodiscard]] constexpr bool is_url_digit(char c) {
    return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_url_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[nodiscard]] constexpr bool is_url_alnum(char c) {
    return is_url_alpha(c) || is_url_digit(c);
}

[[nodiscard]] std::string url_lower(std::string_view text);

/// Encodes what is neither unreserved, nor a sub-delimiter, nor a colon, nor in `more`, nor encoded
/// already.
[[nodiscard]] std::string url_escape(std::string_view text, std::string_view more);

/// Byte for byte, but for what cannot stand in a request line.
[[nodiscard]] std::string url_escape_query(std::string_view text);

[[nodiscard]] std::string url_unescape(std::string_view text);

}  // namespace sonde::probes

#include "probes/kinds/http/field_text.hpp"

#include <algorithm>
#include <cctype>

namespace sonde::probes::http {

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               marks.find(c) != std::string_view::npos;
    });
}

bool is_field_value(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool check_field(config::Table& table,
                 std::string_view key,
                 const std::string& name,
                 const config::Text& value) {
    if (!is_token(name)) {
        table.error_in(key, name, "is no name of a header field (RFC 9110: letters, digits and -)");
        return false;
    }
    if (!is_field_value(value.reveal())) {
        table.error_in(key, name, "a header value must not contain a line break or NUL");
        return false;
    }
    return true;
}

bool is_same_field(std::string_view name, std::string_view lower) {
    return std::ranges::equal(
        name, lower, [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

}  // namespace sonde::probes::http

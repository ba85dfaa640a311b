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

bool is_same_field(std::string_view name, std::string_view lower) {
    return std::ranges::equal(
        name, lower, [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

}  // namespace sonde::probes::http

// Numbers in text that others wrote.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace sonde::exporter {

/// The number that all of `text` is, as std::from_chars reads it; nothing when it is none or does
/// not fit.
template <typename Number>
[[nodiscard]] std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    return error == std::errc{} && end == last ? std::optional{number} : std::nullopt;
}

}  // namespace sonde::exporter

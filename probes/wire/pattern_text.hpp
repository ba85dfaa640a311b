// The characters of an RE2 pattern: literals, escapes and bracketed classes, as code points.
// The grammar above them is byte_pattern.cpp's.
#pragma once

#include "probes/wire/rune_class.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sonde::probes::wire {

/// A pattern being read from its front. RE2 has taken it, so it is valid UTF-8 and well formed;
/// what is not known here gives nothing.
class PatternText {
public:
    explicit PatternText(std::string_view pattern) : rest_(pattern) {}

    [[nodiscard]] bool empty() const { return rest_.empty(); }

    [[nodiscard]] char front() const { return rest_.front(); }

    [[nodiscard]] std::string_view rest() const { return rest_; }

    [[nodiscard]] bool at(std::string_view text) const { return rest_.starts_with(text); }

    void skip(std::size_t bytes) { rest_.remove_prefix(bytes); }

    /// Skips `text` if it comes next.
    bool take(std::string_view text) {
        if (!at(text)) {
            return false;
        }
        skip(text.size());
        return true;
    }

    /// The next character. Needs one.
    [[nodiscard]] std::optional<std::uint32_t> rune();
    /// An escape that stands for one character.
    [[nodiscard]] std::optional<std::uint32_t> escaped_rune();
    /// \d \s \w and their complements; takes nothing else.
    [[nodiscard]] std::optional<RuneClass> perl_class(bool fold);
    /// From '[' to its ']'.
    [[nodiscard]] std::optional<RuneClass> bracket(bool fold);

private:
    std::optional<std::uint32_t> hex_rune();
    bool bracket_item(RuneClass& set, bool fold);

    std::string_view rest_;
};

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace sonde::probes::wire

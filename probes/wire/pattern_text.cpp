// Escapes and classes of github.com/google/re2/wiki/Syntax.
#include "probes/wire/pattern_text.hpp"

#include <array>

namespace sonde::probes::wire {

namespace {

struct NamedClass {
    std::string_view name;
    std::string_view ranges;  // pairs of first and last
};

constexpr std::array<NamedClass, 14> posix_classes{{{"alnum", "09AZaz"},
                                                    {"alpha", "AZaz"},
                                                    {"ascii", {"\0\x7f", 2}},
                                                    {"blank", "\t\t  "},
                                                    {"cntrl", {"\0\x1f\x7f\x7f", 4}},
                                                    {"digit", "09"},
                                                    {"graph", "!~"},
                                                    {"lower", "az"},
                                                    {"print", " ~"},
                                                    {"punct", "!/:@[`{~"},
                                                    {"space", "\t\r  "},
                                                    {"upper", "AZ"},
                                                    {"word", "09AZaz__"},
                                                    {"xdigit", "09AFaf"}}};

// RE2's \s has no vertical tab, PCRE's has.
constexpr std::array<NamedClass, 3> perl_classes{
    {{"d", "09"}, {"s", "\t\n\f\r  "}, {"w", "09AZaz__"}}};

RuneClass ranges_of(const NamedClass& named, bool negated, bool fold) {
    RuneClass result;
    for (std::size_t i = 0; i + 1 < named.ranges.size(); i += 2) {
        result.add(static_cast<unsigned char>(named.ranges[i]),
                   static_cast<unsigned char>(named.ranges[i + 1]));
    }
    if (fold) {
        result.fold_ascii();
    }
    if (negated) {
        result.negate();
    }
    return result;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

// The next character of the pattern, which is valid UTF-8.
std::optional<std::uint32_t> PatternText::rune() {
    const auto lead = static_cast<unsigned char>(rest_.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (rest_.size() < length) {
        return std::nullopt;
    }
    std::uint32_t value = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        value = value << 6U | (static_cast<unsigned char>(rest_[i]) & 0x3fU);
    }
    rest_.remove_prefix(length);
    return value;
}

std::optional<RuneClass> PatternText::perl_class(bool fold) {
    if (rest_.size() < 2 || rest_.front() != '\\') {
        return std::nullopt;
    }
    for (const auto& named : perl_classes) {
        if (lower(rest_[1]) == named.name.front()) {
            const bool negated = rest_[1] != named.name.front();
            rest_.remove_prefix(2);
            return ranges_of(named, negated, fold);
        }
    }
    return std::nullopt;
}

std::optional<std::uint32_t> PatternText::escaped_rune() {
    take("\\");
    if (rest_.empty()) {
        return std::nullopt;
    }
    const char c = rest_.front();
    if (c >= '0' && c <= '7') {
        std::uint32_t value = 0;
        for (int digits = 0; digits < 3 && !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '7';
             ++digits) {
            value = value * 8 + static_cast<std::uint32_t>(rest_[0] - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }
    constexpr std::string_view letters = "aftnrv";
    constexpr std::string_view meanings = "\a\f\t\n\r\v";
    if (const auto index = letters.find(c); index != std::string_view::npos) {
        rest_.remove_prefix(1);
        return static_cast<unsigned char>(meanings[index]);
    }
    if (take("x")) {
        return hex_rune();
    }
    const bool word = is_digit(c) || c == '_' || (lower(c) >= 'a' && lower(c) <= 'z');
    if (word || static_cast<unsigned char>(c) >= 0x80) {
        return std::nullopt;  // \pL, \Q, \C and whatever RE2 will learn
    }
    rest_.remove_prefix(1);
    return static_cast<unsigned char>(c);
}

std::optional<std::uint32_t> PatternText::hex_rune() {
    const bool braces = take("{");
    const std::size_t length = braces ? rest_.find('}') : 2;
    if (length == 0 || length > rest_.size() || length > 8) {
        return std::nullopt;
    }
    std::uint32_t value = 0;
    for (const char c : rest_.substr(0, length)) {
        const char digit = lower(c);
        if (!is_digit(digit) && (digit < 'a' || digit > 'f')) {
            return std::nullopt;
        }
        value = value * 16 +
                static_cast<std::uint32_t>(is_digit(digit) ? digit - '0' : digit - 'a' + 10);
    }
    rest_.remove_prefix(length + (braces ? 1 : 0));
    return value <= RuneClass::last_rune ? std::optional{value} : std::nullopt;
}

std::optional<RuneClass> PatternText::bracket(bool fold) {
    take("[");
    const bool negated = take("^");
    RuneClass set;
    for (bool first = true; !at("]") || first; first = false) {
        if (empty() || !bracket_item(set, fold)) {
            return std::nullopt;
        }
    }
    take("]");
    if (negated) {
        set.negate();
    }
    return set;
}

// One item between brackets: a named class, a range or a character.
bool PatternText::bracket_item(RuneClass& set, bool fold) {
    if (take("[:")) {
        const bool negated = take("^");
        for (const auto& named : posix_classes) {
            if (at(named.name) && rest_.substr(named.name.size()).starts_with(":]")) {
                rest_.remove_prefix(named.name.size() + 2);
                set.add(ranges_of(named, negated, fold));
                return true;
            }
        }
        return false;
    }
    if (const auto named = perl_class(fold)) {
        set.add(*named);
        return true;
    }
    const auto character = [this] {
        return at("\\") ? escaped_rune() : empty() ? std::nullopt : rune();
    };
    const auto low = character();
    auto high = low;
    if (low && at("-") && !at("-]")) {
        take("-");
        high = character();
    }
    if (!low || !high || *low > *high) {
        return false;
    }
    RuneClass range;
    range.add(*low, *high);
    if (fold) {
        if (range.beyond_ascii()) {
            return false;
        }
        range.fold_ascii();
    }
    set.add(range);
    return true;
}

}  // namespace sonde::probes::wire

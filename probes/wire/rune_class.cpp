// Case folding, complement and the split of code point ranges into byte ranges.
#include "probes/wire/rune_class.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sonde::probes::wire {

namespace {

constexpr std::uint32_t last_ascii = 0x7f;
constexpr std::uint32_t kelvin_sign = 0x212a;  // folds to k
constexpr std::uint32_t long_s = 0x017f;       // folds to s

std::string byte_range(unsigned char low, unsigned char high) {
    return low == high ? byte_literal(low) : byte_literal(low) + '-' + byte_literal(high);
}

// Alternatives of byte sequences which together are all code points of a range.
class Sequences {
public:
    void add(std::uint32_t low, std::uint32_t high) {
        // RE2 takes the whole rest of Unicode loosely: overlong and surrogate forms and those above
        // U+10FFFF are among it (Compiler::Add_80_10ffff).
        if (low == last_ascii + 1 && high == RuneClass::last_rune) {
            append({{0xc2, 0xdf}, {0x80, 0xbf}});
            append({{0xe0, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}});
            append({{0xf0, 0xf4}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}});
            return;
        }
        for (const std::uint32_t last_of_length : {0x7ffU, 0xffffU}) {
            if (low <= last_of_length && last_of_length < high) {
                add(low, last_of_length);
                add(last_of_length + 1, high);
                return;
            }
        }
        add_same_length(low, high);
    }

    [[nodiscard]] const std::string& text() const { return text_; }

    [[nodiscard]] std::size_t positions() const { return positions_; }

private:
    // Splits until the low and high ends differ only in bytes that run over their whole range.
    void add_same_length(std::uint32_t low, std::uint32_t high) {
        for (unsigned shift = 6; shift <= 18; shift += 6) {
            const std::uint32_t mask = (1U << shift) - 1;
            if ((low & ~mask) == (high & ~mask)) {
                continue;
            }
            if ((low & mask) != 0) {
                add_same_length(low, low | mask);
                add_same_length((low | mask) + 1, high);
                return;
            }
            if ((high & mask) != mask) {
                add_same_length(low, (high & ~mask) - 1);
                add_same_length(high & ~mask, high);
                return;
            }
        }
        const auto first = encode_utf8(low);
        const auto last = encode_utf8(high);
        std::vector<std::pair<unsigned, unsigned>> bytes;
        for (std::size_t i = 0; i < first.size(); ++i) {
            bytes.emplace_back(static_cast<unsigned char>(first[i]),
                               static_cast<unsigned char>(last[i]));
        }
        append(bytes);
    }

    void append(const std::vector<std::pair<unsigned, unsigned>>& bytes) {
        text_ += text_.empty() ? "" : "|";
        for (const auto& [low, high] : bytes) {
            text_ += '[' +
                     byte_range(static_cast<unsigned char>(low), static_cast<unsigned char>(high)) +
                     ']';
        }
        positions_ += bytes.size();
    }

    std::string text_;
    std::size_t positions_ = 0;
};

}  // namespace

void RuneClass::add(const RuneClass& other) {
    ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

void RuneClass::fold_ascii() {
    constexpr std::uint32_t case_distance = 'a' - 'A';
    const auto original = ranges_;
    const auto overlap = [&](const Range& range, std::uint32_t first, std::uint32_t last, bool up) {
        const auto low = std::max(range.low, first);
        const auto high = std::min(range.high, last);
        if (low <= high) {
            add(up ? low - case_distance : low + case_distance,
                up ? high - case_distance : high + case_distance);
        }
    };
    for (const auto& range : original) {
        overlap(range, 'a', 'z', true);
        overlap(range, 'A', 'Z', false);
    }
    const auto has = [&](std::uint32_t rune) {
        return std::ranges::any_of(
            ranges_, [&](const Range& range) { return range.low <= rune && rune <= range.high; });
    };
    if (has('k')) {
        add(kelvin_sign, kelvin_sign);
    }
    if (has('s')) {
        add(long_s, long_s);
    }
}

void RuneClass::normalise() {
    std::ranges::sort(ranges_, {}, &Range::low);
    std::vector<Range> merged;
    for (const auto& range : ranges_) {
        if (!merged.empty() && range.low <= merged.back().high + 1) {
            merged.back().high = std::max(merged.back().high, range.high);
        } else {
            merged.push_back(range);
        }
    }
    ranges_ = std::move(merged);
}

void RuneClass::negate() {
    normalise();
    std::vector<Range> gaps;
    std::uint32_t next = 0;
    for (const auto& range : ranges_) {
        if (range.low > next) {
            gaps.push_back({next, range.low - 1});
        }
        next = range.high + 1;
    }
    if (next <= last_rune) {
        gaps.push_back({next, last_rune});
    }
    ranges_ = std::move(gaps);
}

bool RuneClass::beyond_ascii() const {
    return std::ranges::any_of(ranges_, [](const Range& range) { return range.high > last_ascii; });
}

std::string RuneClass::bytes(std::size_t& positions) const {
    std::string ascii;
    Sequences longer;
    for (const auto& range : ranges_) {
        if (range.low <= last_ascii) {
            ascii += byte_range(static_cast<unsigned char>(range.low),
                                static_cast<unsigned char>(std::min(range.high, last_ascii)));
        }
        if (range.high > last_ascii) {
            longer.add(std::max(range.low, last_ascii + 1), range.high);
        }
    }
    positions = longer.positions() + (ascii.empty() ? 0 : 1);
    if (longer.text().empty()) {
        return '[' + ascii + ']';
    }
    return "(?:" + (ascii.empty() ? "" : '[' + ascii + "]|") + longer.text() + ')';
}

std::string byte_literal(unsigned char byte) {
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z');
    if (plain) {
        return {static_cast<char>(byte)};
    }
    constexpr std::string_view digits = "0123456789abcdef";
    return {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
}

std::string encode_utf8(std::uint32_t rune) {
    const auto tail = [rune](unsigned shift) {
        return static_cast<char>(0x80U | ((rune >> shift) & 0x3fU));
    };
    if (rune <= last_ascii) {
        return {static_cast<char>(rune)};
    }
    if (rune <= 0x7ff) {
        return {static_cast<char>(0xc0U | (rune >> 6U)), tail(0)};
    }
    if (rune <= 0xffff) {
        return {static_cast<char>(0xe0U | (rune >> 12U)), tail(6), tail(0)};
    }
    return {static_cast<char>(0xf0U | (rune >> 18U)), tail(12), tail(6), tail(0)};
}

}  // namespace sonde::probes::wire

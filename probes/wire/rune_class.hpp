// Sets of Unicode code points and their byte form, as RE2 compiles them in UTF-8 mode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sonde::probes::wire {

class RuneClass {
public:
    static constexpr std::uint32_t last_rune = 0x10ffff;

    void add(std::uint32_t low, std::uint32_t high) { ranges_.push_back({low, high}); }

    void add(const RuneClass& other);

    /// RE2's (?i): each ASCII letter brings its other case, and k and s bring the two signs beyond
    /// ASCII that fold to them. Only for classes within ASCII (see `beyond_ascii`).
    void fold_ascii();

    void negate();
    void normalise();  // sorted, merged

    [[nodiscard]] bool beyond_ascii() const;

    [[nodiscard]] bool empty() const { return ranges_.empty(); }

    /// A pattern of bytes (vectorscan's syntax without its UTF-8 mode) for one code point of the
    /// class, fit for a quantifier; `positions` is how many bytes it names. Needs normalise().
    [[nodiscard]] std::string bytes(std::size_t& positions) const;

private:
    struct Range {
        std::uint32_t low;
        std::uint32_t high;
    };

    std::vector<Range> ranges_;
};

/// One byte as a pattern that means just it.
[[nodiscard]] std::string byte_literal(unsigned char byte);

/// The UTF-8 form of a code point; also of surrogates, which RE2 encodes like any other.
[[nodiscard]] std::string encode_utf8(std::uint32_t rune);

}  // namespace sonde::probes::wire

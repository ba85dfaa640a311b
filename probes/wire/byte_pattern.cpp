// A recursive descent over RE2's syntax (github.com/google/re2/wiki/Syntax).
#include "probes/wire/byte_pattern.hpp"

#include "probes/wire/pattern_text.hpp"
#include "probes/wire/rune_class.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace sonde::probes::wire {

namespace {

// vectorscan unrolls bounded repeats into states; above some thousand it compiles for seconds.
constexpr std::size_t most_positions = 1000;
constexpr int most_depth = 100;

struct Flags {
    bool fold = false;
    bool multi_line = false;
    bool dot_newline = false;
};

struct Piece {
    std::string text;
    std::size_t positions = 0;
    bool nullable = true;         // may match the empty string, assertions taken as true
    bool freely_nullable = true;  // the same at any place, without an assertion
    bool asserts = false;
};

// Each function returns nothing to give the pattern up.
class Translator {
public:
    explicit Translator(std::string_view pattern) : in_(pattern) {}

    std::optional<Piece> all() {
        Flags flags;
        auto piece = alternation(flags, 0);
        return piece && in_.empty() ? piece : std::nullopt;
    }

private:
    std::optional<Piece> alternation(Flags& flags, int depth);
    std::optional<Piece> concatenation(Flags& flags, int depth);
    std::optional<Piece> atom(Flags& flags, int depth);
    std::optional<Piece> group(Flags& flags, int depth);
    std::optional<Piece> escape(const Flags& flags);

    struct Quantifier {
        std::size_t least;
        std::optional<std::size_t> most;
        std::size_t length;
    };

    [[nodiscard]] std::optional<Quantifier> quantifier() const;
    std::optional<Piece> repeat(Piece piece);
    static std::optional<Piece> one_of(std::optional<RuneClass> set);
    static std::optional<Piece> literal(std::uint32_t rune, const Flags& flags);
    static Piece assertion(std::string text);

    PatternText in_;
};

std::optional<Piece> Translator::alternation(Flags& flags, int depth) {
    if (depth > most_depth) {
        return std::nullopt;
    }
    auto result = concatenation(flags, depth);
    bool several = false;
    while (result && in_.take("|")) {
        auto next = concatenation(flags, depth);
        if (!next) {
            return std::nullopt;
        }
        several = true;
        result->text += '|' + next->text;
        result->positions += next->positions;
        result->nullable |= next->nullable;
        result->freely_nullable |= next->freely_nullable;
        result->asserts |= next->asserts;
    }
    if (result && several) {
        result->text = "(?:" + result->text + ')';
    }
    return result;
}

std::optional<Piece> Translator::concatenation(Flags& flags, int depth) {
    Piece result;
    while (!in_.empty() && in_.front() != '|' && in_.front() != ')') {
        auto single = atom(flags, depth);
        auto piece = single ? repeat(std::move(*single)) : std::nullopt;
        if (!piece) {
            return std::nullopt;
        }
        result.text += piece->text;
        result.positions += piece->positions;
        result.nullable &= piece->nullable;
        result.freely_nullable &= piece->freely_nullable;
        result.asserts |= piece->asserts;
        if (result.positions > most_positions) {
            return std::nullopt;
        }
    }
    return result;
}

std::optional<Piece> Translator::atom(Flags& flags, int depth) {
    switch (in_.front()) {
        case '(':
            return group(flags, depth);
        case '[':
            return one_of(in_.bracket(flags.fold));
        case '\\':
            return escape(flags);
        case '*':
        case '+':
        case '?':
            return std::nullopt;  // nothing to repeat: RE2 refuses it
        case '{':
            if (quantifier()) {
                return std::nullopt;
            }
            in_.take("{");
            return literal('{', flags);
        case '^':
            in_.take("^");
            return assertion(flags.multi_line ? "(?m:^)" : "\\A");
        case '$':
            in_.take("$");
            return assertion(flags.multi_line ? "(?m:$)" : "\\z");
        case '.': {
            in_.take(".");
            RuneClass set;
            if (!flags.dot_newline) {
                set.add('\n', '\n');
            }
            set.negate();
            return one_of(std::move(set));
        }
        default: {
            const auto value = in_.rune();
            return value ? literal(*value, flags) : std::nullopt;
        }
    }
}

std::optional<Piece> Translator::group(Flags& flags, int depth) {
    in_.take("(");
    Flags inner = flags;
    if (in_.take("?P<")) {
        in_.skip(std::min(in_.rest().find('>'), in_.rest().size() - 1) + 1);
    } else if (in_.take("?")) {
        bool value = true;
        while (!in_.empty() && in_.front() != ':' && in_.front() != ')') {
            switch (in_.front()) {
                case '-':
                    value = false;
                    break;
                case 'i':
                    inner.fold = value;
                    break;
                case 'm':
                    inner.multi_line = value;
                    break;
                case 's':
                    inner.dot_newline = value;
                    break;
                case 'U':
                    break;  // greediness: without meaning for whether it is found
                default:
                    return std::nullopt;
            }
            in_.skip(1);
        }
        if (in_.take(")")) {
            flags = inner;
            return Piece{};
        }
        if (!in_.take(":")) {
            return std::nullopt;
        }
    }
    auto result = alternation(inner, depth + 1);
    if (!result || !in_.take(")")) {
        return std::nullopt;
    }
    if (!result->text.empty()) {
        result->text = "(?:" + result->text + ')';
    }
    return result;
}

// What a quantifier at the front of the text says, and its length.
std::optional<Translator::Quantifier> Translator::quantifier() const {
    if (in_.empty()) {
        return std::nullopt;
    }
    switch (in_.front()) {
        case '*':
            return Quantifier{0, std::nullopt, 1};
        case '+':
            return Quantifier{1, std::nullopt, 1};
        case '?':
            return Quantifier{0, 1, 1};
        case '{':
            break;
        default:
            return std::nullopt;
    }
    auto text = in_.rest().substr(1);
    const auto number = [&text]() -> std::optional<std::size_t> {
        if (text.empty() || !is_digit(text.front())) {
            return std::nullopt;
        }
        std::size_t value = 0;
        for (; !text.empty() && is_digit(text.front()) && value <= most_positions;
             text.remove_prefix(1)) {
            value = value * 10 + static_cast<std::size_t>(text.front() - '0');
        }
        return value;
    };
    const auto least = number();
    if (!least) {
        return std::nullopt;
    }
    std::optional<std::size_t> most = least;
    if (text.starts_with(',')) {
        text.remove_prefix(1);
        most = number();
    }
    // RE2 takes a brace that is no quantifier literally.
    return text.starts_with('}')
               ? std::optional{Quantifier{*least, most, in_.rest().size() - text.size() + 1}}
               : std::nullopt;
}

std::optional<Piece> Translator::repeat(Piece piece) {
    const auto times = quantifier();
    if (!times) {
        return piece;
    }
    in_.skip(times->length);
    in_.take("?");
    // Quantified assertions are of no use to anybody, and engines differ in them.
    if (piece.asserts || quantifier()) {
        return std::nullopt;
    }
    const auto copies = times->most ? *times->most : times->least + 1;
    piece.positions *= copies;
    if (copies > most_positions || piece.positions > most_positions) {
        return std::nullopt;
    }
    if (copies == 0 || piece.text.empty()) {
        return Piece{};
    }
    piece.nullable |= times->least == 0;
    piece.freely_nullable |= times->least == 0;
    piece.text = "(?:" + piece.text + "){" + std::to_string(times->least) + ',' +
                 (times->most ? std::to_string(*times->most) : "") + '}';
    return piece;
}

Piece Translator::assertion(std::string text) {
    Piece piece;
    piece.text = std::move(text);
    piece.freely_nullable = false;
    piece.asserts = true;
    return piece;
}

std::optional<Piece> Translator::one_of(std::optional<RuneClass> set) {
    if (!set) {
        return std::nullopt;
    }
    set->normalise();
    if (set->empty()) {
        return std::nullopt;
    }
    Piece piece;
    piece.text = set->bytes(piece.positions);
    piece.nullable = false;
    piece.freely_nullable = false;
    return piece;
}

std::optional<Piece> Translator::literal(std::uint32_t rune, const Flags& flags) {
    RuneClass set;
    set.add(rune, rune);
    if (flags.fold) {
        if (set.beyond_ascii()) {
            return std::nullopt;
        }
        set.fold_ascii();
    }
    return one_of(std::move(set));
}

std::optional<Piece> Translator::escape(const Flags& flags) {
    if (auto set = in_.perl_class(flags.fold)) {
        return one_of(std::move(set));
    }
    if (in_.take("\\A")) {
        return assertion("\\A");
    }
    if (in_.take("\\z")) {
        return assertion("\\z");
    }
    if (in_.take("\\b")) {
        return assertion("\\b");
    }
    if (in_.take("\\B")) {
        return assertion("\\B");
    }
    const auto value = in_.escaped_rune();
    return value ? literal(*value, flags) : std::nullopt;
}

}  // namespace

std::optional<BytePattern> to_byte_pattern(std::string_view pattern) {
    auto piece = Translator{pattern}.all();
    if (!piece) {
        return std::nullopt;
    }
    if (piece->freely_nullable) {
        return BytePattern{.text = {}, .always = true};
    }
    if (piece->nullable) {
        return std::nullopt;
    }
    return BytePattern{.text = std::move(piece->text), .always = false};
}

}  // namespace sonde::probes::wire

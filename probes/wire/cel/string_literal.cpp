// String and bytes literals: prefixes, quotes, escapes.
#include "probes/wire/cel/lexer.hpp"
#include "probes/wire/cel/utf8.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace sonde::probes::wire::cel {

namespace {

class LiteralReader {
public:
    LiteralReader(std::string_view text, Token& token, CompileError& error)
        : text_(text),
          token_(token),
          error_(error) {}

    std::size_t read() {
        prefix();
        const auto quote = opening();
        while (at_ < text_.size()) {
            if (text_.substr(at_).starts_with(quote)) {
                at_ += quote.size();
                return finish() ? at_ : 0;
            }
            const char byte = text_[at_];
            if (quote.size() == 1 && (byte == '\n' || byte == '\r')) {
                return fail(at_, "a string with single quotes ends on its line");
            }
            if (byte == '\\' && !raw_) {
                if (!escape()) {
                    return 0;
                }
            } else {
                token_.content += byte;
                ++at_;
            }
        }
        return fail(0, "the string does not end");
    }

private:
    std::size_t fail(std::size_t position, std::string what) {
        error_ = {position, std::move(what)};
        return 0;
    }

    void prefix() {
        token_.kind = TokenKind::string;
        if (text_[at_] == 'b' || text_[at_] == 'B') {
            token_.kind = TokenKind::bytes;
            ++at_;
        }
        if (text_[at_] == 'r' || text_[at_] == 'R') {
            raw_ = true;
            ++at_;
        }
    }

    std::string_view opening() {
        const auto rest = text_.substr(at_);
        const bool is_triple = rest.starts_with("\"\"\"") || rest.starts_with("'''");
        const auto quote = rest.substr(0, is_triple ? 3 : 1);
        at_ += quote.size();
        return quote;
    }

    bool finish() {
        if (token_.kind == TokenKind::string && !is_utf8(token_.content)) {
            return fail(0, "the string is not UTF-8") != 0;
        }
        return true;
    }

    bool escape() {
        constexpr std::string_view letters = "abfnrtv\\'\"`?";
        constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\'\"`?";
        const auto begin = at_;
        if (++at_ == text_.size()) {
            return fail(begin, "the string does not end") != 0;
        }
        const char letter = text_[at_++];
        if (const auto index = letters.find(letter); index != std::string_view::npos) {
            token_.content += meanings[index];
            return true;
        }
        switch (letter) {
            case 'x':
            case 'X':
                return code(begin, 2, 16);
            case 'u':
                return code(begin, 4, 16);
            case 'U':
                return code(begin, 8, 16);
            case '0':
            case '1':
            case '2':
            case '3':
                --at_;
                return code(begin, 3, 8);
            default:
                return fail(begin, "no such escape in a string") != 0;
        }
    }

    /// A number of `digits` digits: a code point, in bytes literals a byte.
    bool code(std::size_t begin, std::size_t digits, int base) {
        const auto text = text_.substr(at_, digits);
        std::uint32_t value = 0;
        const auto [stop, failed] =
            std::from_chars(text.data(), text.data() + text.size(), value, base);
        if (text.size() != digits || stop != text.data() + digits || failed != std::errc{}) {
            return fail(begin,
                        "the escape wants " + std::to_string(digits) +
                            (base == 8 ? " octal digits" : " hexadecimal digits")) != 0;
        }
        at_ += digits;
        if (token_.kind == TokenKind::bytes) {
            if (digits > 3) {
                return fail(begin, "bytes have no code points: write \\x and two digits") != 0;
            }
            token_.content += static_cast<char>(value);
            return true;
        }
        return append_code_point(token_.content, value) ||
               fail(begin, "the escape is no character") != 0;
    }

    std::string_view text_;
    Token& token_;
    CompileError& error_;
    std::size_t at_ = 0;
    bool raw_ = false;
};

}  // namespace

std::size_t read_string(std::string_view text, Token& token, CompileError& error) {
    return LiteralReader{text, token, error}.read();
}

}  // namespace sonde::probes::wire::cel

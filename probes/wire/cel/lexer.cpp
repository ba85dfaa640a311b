// Tokens and numbers.
#include "probes/wire/cel/lexer.hpp"

#include "probes/wire/printable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace sonde::probes::wire::cel {

namespace {

constexpr std::array<std::string_view, 25> symbols = {
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%",
    "!",  "?",  ":",  "(",  ")",  "[",  "]", "{", "}", ",", ".", ";"};
constexpr std::array<std::string_view, 4> keywords = {"true", "false", "null", "in"};

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

bool is_hex_digit(char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

bool begins_name(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

bool continues_name(char byte) {
    return begins_name(byte) || is_digit(byte);
}

bool begins_string(std::string_view text) {
    std::size_t at = 0;
    if (at < text.size() && (text[at] == 'b' || text[at] == 'B')) {
        ++at;
    }
    if (at < text.size() && (text[at] == 'r' || text[at] == 'R')) {
        ++at;
    }
    return at < text.size() && (text[at] == '"' || text[at] == '\'');
}

class Lexer {
public:
    Lexer(std::string_view text, CompileError& error) : text_(text), error_(error) {}

    bool next(Token& token) {
        skip_blanks();
        token = Token{};
        token.position = at_;
        const auto rest = text_.substr(at_);
        if (rest.empty()) {
            return true;
        }
        if (is_digit(rest[0]) || (rest[0] == '.' && rest.size() > 1 && is_digit(rest[1]))) {
            return number(token);
        }
        if (begins_string(rest)) {
            return string(token);
        }
        if (begins_name(rest[0])) {
            const auto* end = std::find_if_not(rest.begin(), rest.end(), continues_name);
            accept(token, TokenKind::identifier, static_cast<std::size_t>(end - rest.begin()));
            if (std::find(keywords.begin(), keywords.end(), token.text) != keywords.end()) {
                token.kind = TokenKind::keyword;
            }
            return true;
        }
        const auto* const symbol =
            std::find_if(symbols.begin(), symbols.end(), [rest](std::string_view candidate) {
                return rest.starts_with(candidate);
            });
        if (symbol == symbols.end()) {
            return fail(at_, "\"" + printable(rest, 1) + "\" means nothing here");
        }
        accept(token, TokenKind::symbol, symbol->size());
        return true;
    }

private:
    bool fail(std::size_t position, std::string what) {
        error_ = {position, std::move(what)};
        return false;
    }

    void accept(Token& token, TokenKind kind, std::size_t size) {
        token.kind = kind;
        token.text = text_.substr(at_, size);
        at_ += size;
    }

    void skip_blanks() {
        while (at_ < text_.size()) {
            if (std::string_view{" \t\n\r\f"}.find(text_[at_]) != std::string_view::npos) {
                ++at_;
            } else if (text_.substr(at_).starts_with("//")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else {
                return;
            }
        }
    }

    bool string(Token& token) {
        CompileError inside;
        const auto size = read_string(text_.substr(at_), token, inside);
        if (size == 0) {
            return fail(at_ + inside.position, std::move(inside.what));
        }
        accept(token, token.kind, size);
        return true;
    }

    [[nodiscard]] std::size_t digits_from(std::size_t position) const {
        while (position < text_.size() && is_digit(text_[position])) {
            ++position;
        }
        return position;
    }

    bool number(Token& token) {
        if (text_.substr(at_).starts_with("0x")) {
            return hexadecimal(token);
        }
        auto end = digits_from(at_);
        const auto whole_end = end;
        if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1])) {
            end = digits_from(end + 1);
        }
        if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
            auto digits = end + 1;
            digits += digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-');
            if (digits < text_.size() && is_digit(text_[digits])) {
                end = digits_from(digits);
            }
        }
        if (end == whole_end) {
            return whole(token, at_, end, 10);
        }
        const auto [stop, failed] =
            std::from_chars(text_.data() + at_, text_.data() + end, token.number);
        if (failed != std::errc{}) {
            return fail(at_, "no double can hold this number");
        }
        accept(token, TokenKind::floating, end - at_);
        return not_glued();
    }

    bool hexadecimal(Token& token) {
        auto end = at_ + 2;
        while (end < text_.size() && is_hex_digit(text_[end])) {
            ++end;
        }
        return end > at_ + 2 ? whole(token, at_ + 2, end, 16)
                             : fail(at_, "\"0x\" wants hexadecimal digits");
    }

    bool whole(Token& token, std::size_t begin, std::size_t end, int base) {
        const auto [stop, failed] =
            std::from_chars(text_.data() + begin, text_.data() + end, token.magnitude, base);
        if (failed != std::errc{}) {
            return fail(at_, "the number is over 64 bits");
        }
        const bool is_unsigned = end < text_.size() && (text_[end] == 'u' || text_[end] == 'U');
        accept(token,
               is_unsigned ? TokenKind::unsigned_integer : TokenKind::integer,
               end - at_ + (is_unsigned ? 1 : 0));
        return not_glued();
    }

    /// "1a" and "0x1g" are mistakes, not a number and a name.
    bool not_glued() {
        if (at_ < text_.size() && continues_name(text_[at_])) {
            return fail(at_, "\"" + printable(text_.substr(at_), 1) + "\" is not part of a number");
        }
        return true;
    }

    std::string_view text_;
    CompileError& error_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, CompileError& error) {
    std::vector<Token> tokens;
    Lexer lexer{text, error};
    Token token;
    do {
        if (!lexer.next(token)) {
            return {};
        }
        tokens.push_back(token);
    } while (token.kind != TokenKind::end);
    return tokens;
}

}  // namespace sonde::probes::wire::cel

// An expression's text cut into tokens, literals read. It knows no grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire::cel {

struct CompileError {
    std::size_t position = 0;  // byte offset in the expression
    std::string what;          // one line: "unknown name \"boddy\" (known: body)"
};

enum class TokenKind : std::uint8_t {
    end,
    identifier,
    keyword,  // true, false, null, in
    symbol,   // operators and brackets
    integer,  // without its sign: the parser knows whether there is one
    unsigned_integer,
    floating,
    string,
    bytes
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::size_t position = 0;
    std::string_view text;  // as written
    std::string content;    // of a string or of bytes, escapes undone
    std::uint64_t magnitude = 0;
    double number = 0;

    [[nodiscard]] bool is(std::string_view symbol_or_keyword) const {
        return (kind == TokenKind::symbol || kind == TokenKind::keyword) &&
               text == symbol_or_keyword;
    }
};

/// The tokens, the last of them `end`. On an error none, and `error` says what and where. The
/// tokens refer to `text`.
[[nodiscard]] std::vector<Token> tokenize(std::string_view text, CompileError& error);

/// The literal with its prefix and quotes that begins `text`. Returns its length, or 0 after an
/// error, whose position counts from the literal's begin.
std::size_t read_string(std::string_view text, Token& token, CompileError& error);

}  // namespace sonde::probes::wire::cel

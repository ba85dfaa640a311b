// The parser's inside, shared by its files: grammar (parser.cpp), literals (parser_literals.cpp),
// calls and macros (parser_calls.cpp).
#pragma once

#include "probes/wire/cel/parser.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire::cel {

using NodePtr = std::unique_ptr<Node>;
using Nodes = std::vector<NodePtr>;

/// One pass over the tokens, by recursive descent. Every function returns null after an error.
class Parser {
public:
    Parser(const std::vector<Token>& tokens,
           const std::vector<std::string>& variables,
           CompileError& error);

    NodePtr whole();

    [[nodiscard]] std::size_t slots() const { return slots_; }

private:
    // Grammar, loosest first.
    NodePtr expression();
    NodePtr conditional();
    NodePtr logical(NodeKind kind);
    NodePtr binary(std::size_t level);
    NodePtr unary();
    NodePtr member();
    NodePtr primary();
    NodePtr bracketed();
    NodePtr literal(bool negative);
    NodePtr list();
    NodePtr map();
    bool map_entry(Node& map);
    NodePtr name();
    NodePtr variable_or_type(const Token& token);

    // Calls and macros.
    NodePtr after_dot(NodePtr operand);
    NodePtr call(const Token& name, NodePtr receiver);
    bool arguments(Nodes& into, std::string_view end);
    NodePtr checked_call(const Token& name,
                         const Signature& signature,
                         Nodes given,
                         bool is_member);
    bool prepare_pattern(Node& call);
    NodePtr has(const Token& name);
    NodePtr macro(const Token& name, Macro macro, NodePtr range);
    bool macro_body(Node& node);

    [[nodiscard]] const Token& now() const { return tokens_[at_]; }

    [[nodiscard]] const Token& ahead(std::size_t count) const;
    const Token& take();
    bool take_if(std::string_view symbol);
    bool want(std::string_view symbol);
    std::nullptr_t fail(const Token& token, std::string what);
    std::nullptr_t fail_unexpected();

    [[nodiscard]] NodePtr make(NodeKind kind, const Token& token) const;
    /// Gives the node its depth; null when the tree is too deep.
    NodePtr finished(NodePtr node);

    const std::vector<Token>& tokens_;
    std::vector<std::string_view> names_;  // by slot, the innermost last
    CompileError& error_;
    std::size_t at_ = 0;
    std::size_t nesting_ = 0;
    std::size_t slots_ = 0;
};

[[nodiscard]] bool is_reserved(std::string_view name);

}  // namespace sonde::probes::wire::cel

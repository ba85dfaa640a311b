// The grammar of the language specification, from conditionals down to members. Literals are in
// parser_literals.cpp.
#include "probes/wire/cel/parser.hpp"

#include "probes/wire/cel/parser_state.hpp"
#include "probes/wire/printable.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sonde::probes::wire::cel {

namespace {

struct BinaryOperator {
    std::string_view symbol;
    Operator op;
    std::size_t level;  // higher binds closer
};

constexpr std::size_t relations = 0;
constexpr std::size_t sums = 1;
constexpr std::size_t products = 2;
constexpr std::array<BinaryOperator, 12> binary_operators = {
    BinaryOperator{"==", Operator::equals, relations},
    BinaryOperator{"!=", Operator::differs, relations},
    BinaryOperator{"<", Operator::less, relations},
    BinaryOperator{"<=", Operator::less_equal, relations},
    BinaryOperator{">", Operator::greater, relations},
    BinaryOperator{">=", Operator::greater_equal, relations},
    BinaryOperator{"in", Operator::in, relations},
    BinaryOperator{"+", Operator::add, sums},
    BinaryOperator{"-", Operator::subtract, sums},
    BinaryOperator{"*", Operator::multiply, products},
    BinaryOperator{"/", Operator::divide, products},
    BinaryOperator{"%", Operator::modulo, products}};

// What the specification keeps for the languages that embed it. They may name fields.
constexpr std::array<std::string_view, 16> reserved = {"as",
                                                       "break",
                                                       "const",
                                                       "continue",
                                                       "else",
                                                       "for",
                                                       "function",
                                                       "if",
                                                       "import",
                                                       "let",
                                                       "loop",
                                                       "namespace",
                                                       "package",
                                                       "return",
                                                       "var",
                                                       "void"};

bool is_number_token(const Token& token) {
    return token.kind == TokenKind::integer || token.kind == TokenKind::unsigned_integer ||
           token.kind == TokenKind::floating;
}

}  // namespace

bool is_reserved(std::string_view name) {
    return name == "while" || std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

Parser::Parser(const std::vector<Token>& tokens,
               const std::vector<std::string>& variables,
               CompileError& error)
    : tokens_(tokens),
      names_(variables.begin(), variables.end()),
      error_(error),
      slots_(variables.size()) {}

const Token& Parser::ahead(std::size_t count) const {
    return tokens_[std::min(at_ + count, tokens_.size() - 1)];
}

const Token& Parser::take() {
    const auto& token = tokens_[at_];
    at_ += token.kind == TokenKind::end ? 0 : 1;
    return token;
}

bool Parser::take_if(std::string_view symbol) {
    if (!now().is(symbol)) {
        return false;
    }
    take();
    return true;
}

bool Parser::want(std::string_view symbol) {
    if (take_if(symbol)) {
        return true;
    }
    const std::string found =
        now().kind == TokenKind::end ? "the end" : "\"" + printable(now().text) + "\"";
    fail(now(), "expected \"" + std::string{symbol} + "\", found " + found);
    return false;
}

std::nullptr_t Parser::fail(const Token& token, std::string what) {
    error_ = {token.position, std::move(what)};
    return nullptr;
}

std::nullptr_t Parser::fail_unexpected() {
    return fail(now(),
                now().kind == TokenKind::end
                    ? "the expression ends early"
                    : "\"" + printable(now().text) + "\" is not expected here");
}

NodePtr Parser::make(NodeKind kind, const Token& token) const {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->position = token.position;
    return node;
}

NodePtr Parser::finished(NodePtr node) {
    for (const auto& child : node->children) {
        node->depth = std::max(node->depth, child->depth + 1);
    }
    if (node->depth > max_depth) {
        error_ = {node->position, "the expression is nested too deeply"};
        return nullptr;
    }
    return node;
}

NodePtr Parser::whole() {
    auto root = expression();
    if (root != nullptr && now().kind != TokenKind::end) {
        return fail_unexpected();
    }
    return root;
}

NodePtr Parser::expression() {
    if (nesting_ >= max_nesting) {
        return fail(now(), "the expression is nested too deeply");
    }
    ++nesting_;
    auto node = conditional();
    --nesting_;
    return node;
}

NodePtr Parser::conditional() {
    auto condition = logical(NodeKind::logical_or);
    if (condition == nullptr || !now().is("?")) {
        return condition;
    }
    auto node = make(NodeKind::conditional, take());
    node->children.push_back(std::move(condition));
    auto chosen = logical(NodeKind::logical_or);
    if (chosen == nullptr || !want(":")) {
        return nullptr;
    }
    auto other = expression();
    if (other == nullptr) {
        return nullptr;
    }
    node->children.push_back(std::move(chosen));
    node->children.push_back(std::move(other));
    return finished(std::move(node));
}

/// One node however many operands: a long list of conditions is wide, not deep.
NodePtr Parser::logical(NodeKind kind) {
    const bool is_or = kind == NodeKind::logical_or;
    const auto operand = [this, is_or] {
        return is_or ? logical(NodeKind::logical_and) : binary(relations);
    };
    auto first = operand();
    const std::string_view symbol = is_or ? "||" : "&&";
    if (first == nullptr || !now().is(symbol)) {
        return first;
    }
    auto node = make(kind, now());
    node->children.push_back(std::move(first));
    while (take_if(symbol)) {
        auto next = operand();
        if (next == nullptr) {
            return nullptr;
        }
        node->children.push_back(std::move(next));
    }
    return finished(std::move(node));
}

NodePtr Parser::binary(std::size_t level) {
    const auto operand = [this, level] {
        return level < products ? binary(level + 1) : unary();
    };
    auto left = operand();
    while (left != nullptr) {
        const auto* const found = std::find_if(
            binary_operators.begin(), binary_operators.end(), [this, level](const auto& candidate) {
                return candidate.level == level && now().is(candidate.symbol);
            });
        if (found == binary_operators.end()) {
            break;
        }
        auto node = make(NodeKind::binary, take());
        node->op = found->op;
        auto right = operand();
        if (right == nullptr) {
            return nullptr;
        }
        node->children.push_back(std::move(left));
        node->children.push_back(std::move(right));
        left = finished(std::move(node));
    }
    return left;
}

/// "!!x" and "--x" are x, as in cel-go; a minus before a number belongs to it.
NodePtr Parser::unary() {
    const auto& first = now();
    if (!first.is("!") && !first.is("-")) {
        return member();
    }
    const bool is_minus = first.is("-");
    bool odd = false;
    while (now().is(first.text) && !(is_minus && is_number_token(ahead(1)))) {
        take();
        odd = !odd;
    }
    auto operand = member();
    if (operand == nullptr || !odd) {
        return operand;
    }
    auto node = make(NodeKind::unary, first);
    node->op = is_minus ? Operator::negate : Operator::invert;
    node->children.push_back(std::move(operand));
    return finished(std::move(node));
}

NodePtr Parser::member() {
    auto node = primary();
    while (node != nullptr) {
        if (take_if(".")) {
            node = after_dot(std::move(node));
        } else if (now().is("[")) {
            auto indexed = make(NodeKind::index, take());
            auto index = expression();
            if (index == nullptr || !want("]")) {
                return nullptr;
            }
            indexed->children.push_back(std::move(node));
            indexed->children.push_back(std::move(index));
            node = finished(std::move(indexed));
        } else {
            break;
        }
    }
    return node;
}

NodePtr Parser::primary() {
    const auto& token = now();
    if (token.is("(")) {
        return bracketed();
    }
    if (token.is("[")) {
        return list();
    }
    if (token.is("{")) {
        return map();
    }
    if (token.is("-") && is_number_token(ahead(1))) {
        take();
        return literal(true);
    }
    if (token.kind == TokenKind::identifier ||
        (token.is(".") && ahead(1).kind == TokenKind::identifier)) {
        return name();
    }
    return literal(false);
}

NodePtr Parser::bracketed() {
    take();
    auto node = expression();
    return node != nullptr && want(")") ? std::move(node) : nullptr;
}

ParsedExpression parse(std::string_view text,
                       const std::vector<std::string>& variables,
                       CompileError& error) {
    if (text.size() > max_expression_size) {
        error = {max_expression_size, "the expression is over 64 KiB"};
        return {};
    }
    const auto tokens = tokenize(text, error);
    if (tokens.empty()) {
        return {};
    }
    Parser parser{tokens, variables, error};
    auto root = parser.whole();
    return {std::move(root), parser.slots()};
}

}  // namespace sonde::probes::wire::cel

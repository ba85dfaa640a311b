// Literals: numbers, text, lists and maps.
#include "probes/wire/cel/parser_state.hpp"

#include <cstdint>
#include <limits>
#include <utility>

namespace sonde::probes::wire::cel {

NodePtr Parser::literal(bool negative) {
    const auto& token = take();
    auto node = make(NodeKind::constant, token);
    switch (token.kind) {
        case TokenKind::integer: {
            constexpr auto most =
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
            if (token.magnitude > most + (negative ? 1 : 0)) {
                return fail(token, "the number is over 63 bits");
            }
            // Unsigned, as the smallest number has no positive counterpart.
            node->constant = Value{static_cast<std::int64_t>(
                negative ? std::uint64_t{0} - token.magnitude : token.magnitude)};
            return node;
        }
        case TokenKind::unsigned_integer:
            if (negative) {
                return fail(token, "an unsigned number has no sign");
            }
            node->constant = Value{std::uint64_t{token.magnitude}};
            return node;
        case TokenKind::floating:
            node->constant = Value{negative ? -token.number : +token.number};
            return node;
        case TokenKind::string:
            node->text = token.content;
            node->constant = Value{Text{node->text, nullptr}};
            return node;
        case TokenKind::bytes:
            node->text = token.content;
            node->constant = Value{Bytes{node->text, nullptr}};
            return node;
        default:
            break;
    }
    if (token.is("true") || token.is("false")) {
        node->constant = Value{token.is("true")};
        return node;
    }
    if (token.is("null")) {
        return node;
    }
    at_ = static_cast<std::size_t>(&token - tokens_.data());
    return fail_unexpected();
}

NodePtr Parser::list() {
    auto node = make(NodeKind::list, take());
    return arguments(node->children, "]") ? finished(std::move(node)) : nullptr;
}

NodePtr Parser::map() {
    auto node = make(NodeKind::map, take());
    while (!take_if("}")) {
        if (!map_entry(*node)) {
            return nullptr;
        }
        if (!now().is("}") && !want(",")) {
            return nullptr;
        }
    }
    return finished(std::move(node));
}

bool Parser::map_entry(Node& map) {
    auto key = expression();
    if (key == nullptr || !want(":")) {
        return false;
    }
    auto value = expression();
    if (value == nullptr) {
        return false;
    }
    map.children.push_back(std::move(key));
    map.children.push_back(std::move(value));
    return true;
}

}  // namespace sonde::probes::wire::cel

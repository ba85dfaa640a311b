// Evaluation of every kind of node but the macros (evaluator_macros.cpp).
#include "probes/wire/cel/evaluator.hpp"

#include "probes/wire/printable.hpp"

#include <array>
#include <utility>

namespace sonde::probes::wire::cel {

Evaluator::Evaluator(std::vector<Value> slots, Budget budget)
    : slots_(std::move(slots)),
      context_{budget, {}} {}

bool Evaluator::spent() {
    if (context_.budget.exhausted) {
        context_.error = "the expression costs too much with this body";
    }
    return context_.budget.exhausted;
}

bool Evaluator::evaluate(const Node& node, Value& out) {
    // These two are nearly free, and every other node has some of them below it.
    if (node.kind == NodeKind::constant) {
        out = node.constant;
        return true;
    }
    if (node.kind == NodeKind::variable) {
        out = slots_[node.slot];
        return true;
    }
    context_.budget.step();
    // What ran out on the way made no result, whatever `out` holds.
    return !spent() && evaluate_kind(node, out) && !spent();
}

bool Evaluator::evaluate_kind(const Node& node, Value& out) {
    Value first;
    Value second;
    switch (node.kind) {
        case NodeKind::select:
            return select(node, out);
        case NodeKind::has:
            return has(node, out);
        case NodeKind::index:
            return two(node, first, second) && apply_index(first, second, context_, out);
        case NodeKind::call:
            return call(node, out);
        case NodeKind::unary:
            return evaluate(*node.children[0], first) && apply_unary(node.op, first, context_, out);
        case NodeKind::binary:
            return two(node, first, second) && apply_binary(node.op, first, second, context_, out);
        case NodeKind::conditional:
            return conditional(node, out);
        case NodeKind::logical_and:
        case NodeKind::logical_or:
            return logical(node, out);
        case NodeKind::list:
            return list(node, out);
        case NodeKind::map:
            return map(node, out);
        case NodeKind::macro:
            return macro(node, out);
        case NodeKind::constant:
        case NodeKind::variable:
            break;
    }
    return evaluate(node, out);
}

bool Evaluator::two(const Node& node, Value& first, Value& second) {
    return evaluate(*node.children[0], first) && evaluate(*node.children[1], second);
}

bool Evaluator::select(const Node& node, Value& out) {
    Value operand;
    if (!evaluate(*node.children[0], operand)) {
        return false;
    }
    const auto* map = operand.get<Map>();
    auto found = map != nullptr ? map->find(node.text, context_.budget) : std::nullopt;
    if (found) {
        out = std::move(*found);
        return true;
    }
    const auto key = "no such key: " + printable(node.text, 64);
    return context_.fail(
        map != nullptr ? key : key + " (in " + std::string{type_name(operand.kind())} + ")");
}

/// What has no fields at all has not this one; only of a list it is a mistake to ask. As in cel-go.
bool Evaluator::has(const Node& node, Value& out) {
    Value operand;
    if (!evaluate(*node.children[0], operand)) {
        return false;
    }
    if (operand.kind() == Kind::list) {
        return context_.fail("no such overload: has(list." + printable(node.text, 64) + ")");
    }
    const auto* map = operand.get<Map>();
    out = Value{map != nullptr && map->find(node.text, context_.budget).has_value()};
    return true;
}

bool Evaluator::call(const Node& node, Value& out) {
    std::array<Value, 2> arguments;
    for (std::size_t index = 0; index < node.children.size(); ++index) {
        if (!evaluate(*node.children[index], arguments[index])) {
            return false;
        }
    }
    return apply_function(node, {arguments.data(), node.children.size()}, context_, out);
}

std::optional<bool> Evaluator::flag(const Node& node) {
    Value value;
    if (!evaluate(node, value)) {
        return std::nullopt;
    }
    const auto* found = value.get<bool>();
    if (found == nullptr) {
        context_.error =
            "no such overload: " + std::string{type_name(value.kind())} + " where a bool is wanted";
        return std::nullopt;
    }
    return *found;
}

bool Evaluator::conditional(const Node& node, Value& out) {
    const auto condition = flag(*node.children[0]);
    return condition && evaluate(*node.children[*condition ? 1 : 2], out);
}

bool Evaluator::logical(const Node& node, Value& out) {
    return settle(
        node.kind == NodeKind::logical_or,
        node.children.size(),
        [&](std::size_t index) { return flag(*node.children[index]); },
        out);
}

bool Evaluator::list(const Node& node, Value& out) {
    if (!context_.budget.take(node.children.size() * sizeof(Value))) {
        return false;
    }
    auto items = std::make_shared<std::vector<Value>>(node.children.size());
    for (std::size_t index = 0; index < node.children.size(); ++index) {
        if (!evaluate(*node.children[index], (*items)[index])) {
            return false;
        }
    }
    out = Value{List{nullptr, std::move(items)}};
    return true;
}

bool Evaluator::map(const Node& node, Value& out) {
    if (!context_.budget.take(node.children.size() * sizeof(Value))) {
        return false;
    }
    auto entries = std::make_shared<Map::Entries>();
    entries->reserve(node.children.size() / 2);
    const Map made{nullptr, entries};
    for (std::size_t index = 0; index < node.children.size(); index += 2) {
        Value key;
        Value value;
        if (!evaluate(*node.children[index], key) || !evaluate(*node.children[index + 1], value)) {
            return false;
        }
        if (key.kind() != Kind::string && key.kind() != Kind::boolean &&
            key.kind() != Kind::integer && key.kind() != Kind::unsigned_integer) {
            return context_.fail("unsupported key type: " + std::string{type_name(key.kind())});
        }
        if (made.find(key, context_.budget)) {
            return context_.fail("a key of the map is there twice");
        }
        entries->emplace_back(std::move(key), std::move(value));
    }
    out = Value{Map{made}};
    return true;
}

}  // namespace sonde::probes::wire::cel

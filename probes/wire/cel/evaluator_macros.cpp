// The loops of the language: all, exists, exists_one, map, filter.
#include "probes/wire/cel/evaluator.hpp"

#include <utility>

namespace sonde::probes::wire::cel {

/// The items of a list, or the keys of a map.
struct Evaluator::Loop {
    Value range;

    [[nodiscard]] std::size_t size() const {
        const auto* list = range.get<List>();
        return list != nullptr ? list->size() : range.get<Map>()->size();
    }

    [[nodiscard]] Value at(std::size_t index) const {
        const auto* list = range.get<List>();
        return list != nullptr ? list->at(index) : range.get<Map>()->key_at(index);
    }
};

bool Evaluator::macro(const Node& node, Value& out) {
    Loop loop;
    if (!evaluate(*node.children[0], loop.range)) {
        return false;
    }
    if (loop.range.kind() != Kind::list && loop.range.kind() != Kind::map) {
        return context_.fail("no such overload: a macro goes over a list or map, not over " +
                             std::string{type_name(loop.range.kind())});
    }
    switch (node.macro) {
        case Macro::all:
        case Macro::exists:
            return quantify(node, loop, out);
        case Macro::exists_one:
            return exists_one(node, loop, out);
        case Macro::map:
        case Macro::filter:
            break;
    }
    return collect(node, loop, out);
}

/// A long && or ||, errors included.
bool Evaluator::quantify(const Node& node, const Loop& loop, Value& out) {
    return settle(
        node.macro == Macro::exists,
        loop.size(),
        [&](std::size_t index) {
            context_.budget.step();
            slots_[node.slot] = loop.at(index);
            return flag(*node.children[1]);
        },
        out);
}

bool Evaluator::exists_one(const Node& node, const Loop& loop, Value& out) {
    const auto size = loop.size();
    std::size_t count = 0;
    for (std::size_t index = 0; index < size; ++index) {
        context_.budget.step();
        slots_[node.slot] = loop.at(index);
        const auto value = flag(*node.children[1]);
        if (!value || spent()) {
            return false;
        }
        count += *value ? 1 : 0;
    }
    out = Value{count == 1};
    return true;
}

/// filter(x, condition), map(x, made), map(x, condition, made).
bool Evaluator::collect(const Node& node, const Loop& loop, Value& out) {
    const bool filters = node.macro == Macro::filter || node.children.size() == 3;
    const auto size = loop.size();
    auto items = std::make_shared<std::vector<Value>>();
    for (std::size_t index = 0; index < size; ++index) {
        context_.budget.step();
        slots_[node.slot] = loop.at(index);
        const auto wanted = filters ? flag(*node.children[1]) : std::optional{true};
        if (!wanted || spent()) {
            return false;
        }
        if (!*wanted) {
            continue;
        }
        Value item;
        if (node.macro == Macro::filter) {
            item = slots_[node.slot];
        } else if (!evaluate(*node.children.back(), item)) {
            return false;
        }
        if (!context_.budget.take(sizeof(Value))) {
            return false;
        }
        items->push_back(std::move(item));
    }
    out = Value{List{nullptr, std::move(items)}};
    return true;
}

}  // namespace sonde::probes::wire::cel

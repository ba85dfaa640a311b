// Walks a compiled tree. Its recursion is as deep as the expression is, whatever the body holds.
#pragma once

#include "probes/wire/cel/context.hpp"
#include "probes/wire/cel/node.hpp"
#include "probes/wire/cel/value.hpp"

#include <optional>
#include <vector>

namespace sonde::probes::wire::cel {

/// One evaluation.
class Evaluator {
public:
    /// `slots`: the variables first, room for those of macros behind them.
    Evaluator(std::vector<Value> slots, Budget budget);

    /// False after an error, which error() tells; `out` is not to be read then.
    bool evaluate(const Node& node, Value& out);

    [[nodiscard]] const std::string& error() const { return context_.error; }

private:
    struct Loop;

    bool evaluate_kind(const Node& node, Value& out);
    bool select(const Node& node, Value& out);
    bool has(const Node& node, Value& out);
    bool call(const Node& node, Value& out);
    bool conditional(const Node& node, Value& out);
    bool logical(const Node& node, Value& out);
    bool list(const Node& node, Value& out);
    bool map(const Node& node, Value& out);
    bool two(const Node& node, Value& first, Value& second);

    bool macro(const Node& node, Value& out);
    bool quantify(const Node& node, const Loop& loop, Value& out);
    bool exists_one(const Node& node, const Loop& loop, Value& out);
    bool collect(const Node& node, const Loop& loop, Value& out);
    /// The node's value as a flag; nothing after an error.
    std::optional<bool> flag(const Node& node);
    bool spent();

    std::vector<Value> slots_;
    Context context_;
};

}  // namespace sonde::probes::wire::cel

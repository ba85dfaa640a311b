// Walks a compiled tree. Its recursion is as deep as the expression is, whatever the body holds.
#pragma once

#include "probes/wire/cel/context.hpp"
#include "probes/wire/cel/node.hpp"
#include "probes/wire/cel/value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
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

    /// The || of so many flags where `settling` is true, else their &&: one of them may settle it,
    /// also when another is an error, of which else the first is told.
    template <typename FlagAt>
    bool settle(bool settling, std::size_t count, FlagAt flag_at, Value& out);

    std::vector<Value> slots_;
    Context context_;
};

template <typename FlagAt>
bool Evaluator::settle(bool settling, std::size_t count, FlagAt flag_at, Value& out) {
    std::string first_error;
    for (std::size_t index = 0; index < count; ++index) {
        const std::optional<bool> value = flag_at(index);
        if (value == settling) {
            context_.error.clear();
            out = Value{bool{settling}};
            return true;
        }
        if (spent()) {
            return false;
        }
        if (!value && first_error.empty()) {
            first_error = std::move(context_.error);
        }
    }
    context_.error = std::move(first_error);
    out = Value{!settling};
    return context_.error.empty();
}

}  // namespace sonde::probes::wire::cel

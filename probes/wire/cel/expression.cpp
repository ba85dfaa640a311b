// Compiling and evaluating as callers see it.
#include "probes/wire/cel.hpp"
#include "probes/wire/cel/evaluator.hpp"
#include "probes/wire/cel/node.hpp"
#include "probes/wire/cel/parser.hpp"

#include <utility>

namespace sonde::probes::wire::cel {

Expression::Expression(std::string text, std::unique_ptr<const Node> root, std::size_t slots)
    : text_(std::move(text)),
      root_(std::move(root)),
      slots_(slots) {}

Expression::~Expression() = default;

std::shared_ptr<const Expression> Expression::compile(std::string_view text,
                                                      const std::vector<std::string>& variables,
                                                      CompileError& error) {
    auto parsed = parse(text, variables, error);
    if (parsed.root == nullptr) {
        return nullptr;
    }
    return std::shared_ptr<const Expression>(
        new Expression(std::string{text}, std::move(parsed.root), parsed.slots));
}

Result Expression::evaluate(const boost::json::value& body) const {
    const Value value{body};
    return evaluate({&value, 1});
}

Result Expression::evaluate(std::span<const Value> values, Limits limits) const {
    std::vector<Value> slots(values.begin(), values.end());
    slots.resize(slots_);
    Evaluator evaluator{std::move(slots), Budget{limits.steps, limits.bytes, false}};
    Result result;
    if (!evaluator.evaluate(*root_, result.value)) {
        result.value = Value{};
        result.error = evaluator.error();
        if (result.error.empty()) {
            result.error = "the expression costs too much with this body";
        }
    }
    return result;
}

}  // namespace sonde::probes::wire::cel

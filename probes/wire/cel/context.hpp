// What every step of an evaluation shares, and the steps that know nothing of the tree.
#pragma once

#include "probes/wire/cel/node.hpp"
#include "probes/wire/cel/value.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sonde::probes::wire::cel {

struct Context {
    Budget budget;
    std::string error;

    /// False, for a return.
    bool fail(std::string what) {
        error = std::move(what);
        return false;
    }
};

// Each of these returns false after an error, which `context` holds; `out` is not to be read then.
bool apply_unary(Operator op, const Value& operand, Context& context, Value& out);
bool apply_binary(Operator op, const Value& left, const Value& right, Context& context, Value& out);
bool apply_function(const Node& call,
                    std::span<const Value> arguments,
                    Context& context,
                    Value& out);
bool apply_index(const Value& operand, const Value& index, Context& context, Value& out);

/// int(), string() and the like. False: there is no such conversion (no error is set), or the value
/// does not convert.
bool convert(Function function, const Value& value, Context& context, Value& out);

/// As Go's strconv writes it with 'g', which cel-go's string() does: "1.5", "1e+06", "+Inf".
[[nodiscard]] std::string go_text(double number);

/// All of `text` as a decimal number, "inf" and "nan" as Go reads them too.
[[nodiscard]] std::optional<double> parse_double(std::string_view text);

}  // namespace sonde::probes::wire::cel

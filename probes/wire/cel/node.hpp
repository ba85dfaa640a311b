// An expression as a tree, made by the parser, walked by the evaluator. Immutable once compiled.
#pragma once

#include "probes/wire/cel/value.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}  // namespace re2

namespace sonde::probes::wire::cel {

enum class NodeKind : std::uint8_t {
    constant,
    variable,
    select,  // children: operand; text: the field
    has,     // the same, asked for its presence
    index,
    call,         // children: arguments, a receiver first
    unary,        // op
    binary,       // op
    conditional,  // condition, then, else
    logical_and,  // two or more
    logical_or,
    list,
    map,   // key, value, key, value ...
    macro  // range, then one or two expressions that see the slot
};

enum class Operator : std::uint8_t {
    add,
    subtract,
    multiply,
    divide,
    modulo,
    equals,
    differs,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    negate,
    invert
};

[[nodiscard]] std::string_view symbol_of(Operator op);

enum class Macro : std::uint8_t { all, exists, exists_one, map, filter };

enum class Function : std::uint8_t {
    size,
    matches,
    contains,
    starts_with,
    ends_with,
    to_bool,
    to_int,
    to_uint,
    to_double,
    to_string,
    to_bytes,
    to_timestamp,
    to_duration,
    to_dyn,
    type,
    get_full_year,
    get_month,
    get_day_of_year,
    get_day_of_month,
    get_date,
    get_day_of_week,
    get_hours,
    get_minutes,
    get_seconds,
    get_milliseconds
};

struct Signature {
    std::string_view name;
    Function function = Function::size;
    bool global = false;
    bool member = false;
    std::size_t min_arguments = 0;  // the receiver counts
    std::size_t max_arguments = 0;
};

/// Null: there is no such function.
[[nodiscard]] const Signature* find_function(std::string_view name);
[[nodiscard]] const Signature& signature_of(Function function);

struct Node {
    NodeKind kind = NodeKind::constant;
    Operator op = Operator::add;
    Macro macro = Macro::all;
    Function function = Function::size;
    std::size_t slot = 0;   // of a variable, or that a macro sets
    std::size_t depth = 1;  // of the tree below, itself included
    std::size_t position = 0;
    Value constant;                           // refers to `text` when it is a string
    std::string text;                         // of a constant, or a field's name
    std::shared_ptr<const re2::RE2> pattern;  // of matches() with a constant pattern
    std::vector<std::unique_ptr<Node>> children;
};

}  // namespace sonde::probes::wire::cel

// From tokens to a checked tree: grammar, names, functions and their arguments, macros.
#pragma once

#include "probes/wire/cel/lexer.hpp"
#include "probes/wire/cel/node.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire::cel {

inline constexpr std::size_t max_expression_size = std::size_t{64} * 1024;
/// Of brackets, calls and conditionals within each other.
inline constexpr std::size_t max_nesting = 100;
/// Of the tree: "a + b + c" grows by one with each term.
inline constexpr std::size_t max_depth = 250;

struct ParsedExpression {
    std::unique_ptr<Node> root;
    std::size_t slots = 0;  // of the variables and of the deepest macros
};

/// `root` is null after an error.
[[nodiscard]] ParsedExpression parse(std::string_view text,
                                     const std::vector<std::string>& variables,
                                     CompileError& error);

}  // namespace sonde::probes::wire::cel

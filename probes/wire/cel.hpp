// Expressions over a JSON body: "body.status == 'ok' && size(body.items) > 3".
// The language is the Common Expression Language (github.com/google/cel-spec) without messages,
// as blackbox_exporter uses it by way of cel-go, so its expressions give the same verdicts here.
//
// What cel-go answers with a value is answered with the same value: every number of a body is a
// double, equality never fails, `&&` and `||` forgive an error that the other side settles. Where
// cel-go has an error (which fails a check there) these go on instead:
//  * double with int or uint: body.n + 1, body.n * 2u; the result is a double
//  * % of doubles: body.n % 2
//  * timestamp(double): seconds since 1970
//  * values of unlike types where cel-go's type checker refuses a configuration: 1 == 1.0
// Not there: messages, optionals, extension libraries, and time zones by their place's name.
#pragma once

#include "probes/wire/cel/lexer.hpp"
#include "probes/wire/cel/value.hpp"

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire::cel {

struct Node;

/// Of one evaluation. With these the worst expression over the worst body ends within some tenths
/// of a second, with some ten megabytes.
struct Limits {
    std::uint64_t steps = 2'000'000;
    std::uint64_t bytes = std::uint64_t{16} << 20U;
};

struct Result {
    Value value;        // null after an error
    std::string error;  // one line: "no such key: status"; empty: there is none

    [[nodiscard]] bool ok() const { return error.empty(); }
};

/// Compiled, immutable, shared by targets and threads.
class Expression {
public:
    /// `variables`: the names that the expression may use, mostly just "body". Null: `error` says
    /// what is wrong and where: syntax, unknown names and functions, wrong arguments, a constant
    /// pattern that RE2 refuses. Any thread.
    [[nodiscard]] static std::shared_ptr<const Expression> compile(
        std::string_view text, const std::vector<std::string>& variables, CompileError& error);

    Expression(const Expression&) = delete;
    Expression& operator=(const Expression&) = delete;
    ~Expression();

    [[nodiscard]] const std::string& text() const { return text_; }

    /// For an expression with one variable. The result may refer to the body and to this
    /// expression: read it before either goes. Any thread; never throws for what a body holds.
    [[nodiscard]] Result evaluate(const boost::json::value& body) const;

    /// `values`: one for each variable, in their order.
    [[nodiscard]] Result evaluate(std::span<const Value> values, Limits limits = {}) const;

private:
    Expression(std::string text, std::unique_ptr<const Node> root, std::size_t slots);

    std::string text_;
    std::unique_ptr<const Node> root_;
    std::size_t slots_;
};

/// For a sample: numbers, bools as 0 and 1, strings that are wholly a finite number, durations in
/// seconds, timestamps in seconds since 1970. Nothing for all else.
[[nodiscard]] std::optional<double> to_number(const Value& value);

/// For a label: strings, numbers as short as they are exact (integers of a body with all their
/// digits), bools, durations ("1.5s"), timestamps (RFC 3339). Nothing for all else.
[[nodiscard]] std::optional<std::string> to_text(const Value& value);

}  // namespace sonde::probes::wire::cel

// Expressions evaluated over JSON as it came, and their outcome in one line.
#pragma once

#include "probes/wire/cel.hpp"
#include "probes/wire/json_body.hpp"

#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire::cel::test {

inline std::shared_ptr<const Expression> compiled(std::string_view text) {
    CompileError error;
    auto expression = Expression::compile(text, {"body"}, error);
    INFO(text);
    INFO(error.what);
    REQUIRE(expression != nullptr);
    return expression;
}

/// "bool true", "error no such key: a", "list of 2": one line for what an expression came to.
inline std::string outcome(std::string_view text, std::string_view json) {
    JsonBody body;
    body.start(std::size_t{4} << 20U);
    body.feed(json);
    REQUIRE(body.finish());
    const auto expression = compiled(text);
    const auto result = expression->evaluate(body.value());
    if (!result.ok()) {
        return "error " + result.error;
    }
    const std::string kind{type_name(result.value.kind())};
    if (const auto* list = result.value.get<List>()) {
        return kind + " of " + std::to_string(list->size());
    }
    if (const auto* map = result.value.get<Map>()) {
        return kind + " of " + std::to_string(map->size());
    }
    const auto shown = to_text(result.value);
    return shown ? kind + " " + *shown : kind;
}

struct Case {
    const char* expression;
    const char* outcome;
};

inline void check(const std::vector<Case>& cases, std::string_view json = "{}") {
    for (const auto& item : cases) {
        CAPTURE(item.expression);
        CHECK(outcome(item.expression, json) == item.outcome);
    }
}

inline void check_true(const std::vector<const char*>& expressions, std::string_view json = "{}") {
    for (const auto* expression : expressions) {
        CAPTURE(expression);
        CHECK(outcome(expression, json) == "bool true");
    }
}

inline constexpr std::string_view sample = R"({
    "status": "ok", "n": 3, "big": 9007199254740993, "half": 0.5, "none": null, "yes": true,
    "items": [{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "c"}],
    "numbers": [1, 2.5, 3], "nested": {"a": {"b": "c"}}, "key with space": 1, "time": "2026-01-02T03:04:05Z"
})";

}  // namespace sonde::probes::wire::cel::test

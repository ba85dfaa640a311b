// Expressions and bodies that are made to cost: bounded, and an error in words.
#include "tests/probes/wire/cel_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace sonde::probes::wire::cel;        // NOLINT(google-build-using-namespace)
using namespace sonde::probes::wire::cel::test;  // NOLINT(google-build-using-namespace)

namespace {

std::string repeated(std::string_view part, std::size_t count) {
    std::string text;
    for (std::size_t index = 0; index < count; ++index) {
        text += part;
    }
    return text;
}

std::string what_is_wrong(const std::string& text) {
    CompileError error;
    const auto expression = Expression::compile(text, {"body"}, error);
    return expression != nullptr ? "nothing" : error.what;
}

constexpr const char* too_deep = "the expression is nested too deeply";
constexpr const char* too_dear = "error the expression costs too much with this body";

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::size_t below(std::size_t limit) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::size_t>(state_ >> 33U) % limit;
    }

private:
    std::uint64_t state_;
};

}  // namespace

TEST_CASE("cel hostile: deep and long expressions") {
    for (const auto* open :
         {"(", "[", "{1:", "-(", "!(", "size(", "true?1:", "[1].map(x,", "body["}) {
        CAPTURE(open);
        CHECK(what_is_wrong(repeated(open, 5'000)) == too_deep);
    }
    CHECK(what_is_wrong(repeated("(", 99) + "1" + repeated(")", 99)) == "nothing");
    CHECK(what_is_wrong("1" + repeated("+1", 249)) == "nothing");
    for (const auto* more : {"+1", "*1", "<1", ".a", "[0]", ".size()"}) {
        CAPTURE(more);
        CHECK(what_is_wrong("body" + repeated(more, 5'000)) == too_deep);
    }
    CHECK(what_is_wrong(repeated("!", 60'000) + "true") == "nothing");
    CHECK(what_is_wrong(repeated("- ", 30'000) + "body") == "nothing");
    CHECK(what_is_wrong("true" + repeated(" && true", 8'000)) == "nothing");
    CHECK(outcome("false" + repeated(" || body.x", 6'000) + " || true", "{}") == "bool true");
    CHECK(what_is_wrong(std::string(70'000, ' ')) == "the expression is over 64 KiB");
}

TEST_CASE("cel hostile: what a body makes dear") {
    const auto numbers = "[" + repeated("1,", 100'000) + "1]";
    CHECK(outcome("body.all(a, body.all(b, a == b))", numbers) == too_dear);
    CHECK(outcome("body.exists(a, body == body && a > 1)", numbers) == too_dear);
    CHECK(outcome("body.map(a, body + body).size()", numbers) == too_dear);
    CHECK(outcome("body.map(a, [a, a, a]).size()", numbers) == too_dear);
    CHECK(outcome("body.all(a, !(2 in body))", numbers) == too_dear);
    CHECK(outcome("body.exists(a, true || false) && body.map(a, string(a)).size() > 0", numbers) ==
          "bool true");
    // What ran out is not forgiven as other errors are.
    CHECK(outcome("body.all(a, body.all(b, a == b)) || true", numbers) == too_dear);
    CHECK(outcome("body.all(a, body.all(b, a == b)) ? 1 : 2", numbers) == too_dear);
}

TEST_CASE("cel hostile: text that a body brings along") {
    const auto text = "{\"a\": \"" + std::string(500'000, 'a') + "\", \"b\": \"" +
                      std::string(200'000, 'a') + "b\", \"many\": [" + repeated("1,", 1'000) +
                      "1]}";
    CHECK(outcome("body.a.contains(body.b)", text) == "bool false");
    CHECK(outcome("body.a.matches('^(a|aa)+$')", text) == "bool true");
    CHECK(outcome("body.many.map(m, body.a + body.b).size()", text) == too_dear);
    CHECK(outcome("body.many.all(m, body.a.matches('(a*)*b'))", text) == "bool false");
    CHECK(outcome("body.many.exists(m, body.a.matches('b$'))", text) == too_dear);
    CHECK(outcome("body.many.exists(m, 'x'.matches('a' + string(m)))", text) == too_dear);
    CHECK(outcome("'x'.matches(body.b)", text) ==
          "error a pattern that is made on the way may have 256 bytes");
    CHECK(outcome("body.a.matches('((a?){30}){30}' + 'b')", text) == too_dear);
}

TEST_CASE("cel hostile: limits are the caller's") {
    const auto expression = compiled("body + body");
    const std::vector<Value> values = {Value{Text{"0123456789", nullptr}}};
    CHECK(expression->evaluate(values, {1, 20}).ok());
    CHECK_FALSE(expression->evaluate(values, {1, 19}).ok());
    CHECK_FALSE(expression->evaluate(values, {0, 20}).ok());
}

TEST_CASE("cel hostile: tokens in any order neither crash nor hang") {
    static constexpr const char* tokens[] = {"body",
                                             "x",
                                             ".",
                                             ".",
                                             "(",
                                             ")",
                                             "[",
                                             "]",
                                             "{",
                                             "}",
                                             ",",
                                             ":",
                                             "?",
                                             "||",
                                             "&&",
                                             "!",
                                             "-",
                                             "+",
                                             "*",
                                             "/",
                                             "%",
                                             "==",
                                             "<",
                                             ">=",
                                             "in",
                                             "1",
                                             "2u",
                                             "1.5",
                                             "0",
                                             "'a'",
                                             "b'a'",
                                             "true",
                                             "null",
                                             ".all(x,",
                                             ".map(x,",
                                             ".exists(x,",
                                             "has(body.a",
                                             ".size()",
                                             "size(",
                                             "int(",
                                             "string(",
                                             "'1s'",
                                             "duration(",
                                             ".matches('a')",
                                             "body.a",
                                             "body.items",
                                             "x",
                                             "//",
                                             "'",
                                             "\n",
                                             "timestamp(",
                                             "9223372036854775807",
                                             "google.protobuf.Duration",
                                             "type("};
    Random random{20260131};
    const boost::json::value body = {{"a", "text"}, {"items", {1, 2, 3}}};
    std::size_t compiled_count = 0;
    std::size_t good = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string text;
        for (auto left = 1 + random.below(9); left > 0; --left) {
            text += tokens[random.below(std::size(tokens))];
            text += random.below(4) == 0 ? " " : "";
        }
        CompileError error;
        const auto expression = Expression::compile(text, {"body"}, error);
        if (expression == nullptr) {
            REQUIRE_FALSE(error.what.empty());
            REQUIRE(error.position <= text.size());
            continue;
        }
        ++compiled_count;
        const auto result = expression->evaluate(body);
        good += result.ok() ? 1 : 0;
        REQUIRE(result.error.find('\n') == std::string::npos);
    }
    CHECK(compiled_count > 500);
    CHECK(good > 300);
    CHECK(good < compiled_count);
}

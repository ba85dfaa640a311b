// Literals, conversions and times, what does not compile, and results as callers use them.
#include "tests/probes/wire/cel_fixture.hpp"

#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace sonde::probes::wire::cel;        // NOLINT(google-build-using-namespace)
using namespace sonde::probes::wire::cel::test;  // NOLINT(google-build-using-namespace)

namespace {

std::string mistake(std::string_view text) {
    CompileError error;
    const auto expression = Expression::compile(text, {"body"}, error);
    return expression != nullptr ? "none" : std::to_string(error.position) + ": " + error.what;
}

}  // namespace

TEST_CASE("cel: conversions") {
    check({{"int('-42')", "int -42"},
           {"int('4x')", "error \"4x\" is no int"},
           {"int('+5')", "int 5"},
           {"int('+-5')", "error \"+-5\" is no int"},
           {"int('')", "error \"\" is no int"},
           {"int(-3.9)", "int -3"},
           {"int(1e19)", "error integer overflow"},
           {"int(double('NaN'))", "error integer overflow"},
           {"int(18446744073709551615u)", "error integer overflow"},
           {"int(true)", "error no such overload: int(bool)"},
           {"int(timestamp('1970-01-01T00:01:00Z'))", "int 60"},
           {"uint(3.7)", "uint 3"},
           {"uint(-1)", "error unsigned integer overflow"},
           {"uint('18446744073709551615')", "uint 18446744073709551615"},
           {"uint('-1')", "error \"-1\" is no uint"},
           {"double('1.5e3')", "double 1500"},
           {"double('x')", "error \"x\" is no double"},
           {"double('-inf')", "double -Inf"},
           {"double(3u)", "double 3"},
           {"string(1000000.0)", "string 1e+06"},
           {"string(123456.5)", "string 123456.5"},
           {"string(0.00001)", "string 1e-05"},
           {"string(-0.0045)", "string -0.0045"},
           {"string(true)", "string true"},
           {"string(b'abc')", "string abc"},
           {"string(b'\\xff')", "error invalid UTF-8 in bytes"},
           {"string([])", "error no such overload: string(list)"},
           {"bytes('\\u00fc') == b'\\xc3\\xbc'", "bool true"},
           {"bool('true') && bool('T') && !bool('0')", "bool true"},
           {"bool('yes')", "error \"yes\" is no bool"},
           {"dyn(1) + 1", "int 2"}});
}

TEST_CASE("cel: times") {
    check({{"timestamp('2026-01-02T03:04:05.25+01:00')",
            "google.protobuf.Timestamp 2026-01-02T02:04:05.25Z"},
           {"timestamp(body.time) + duration('1h30m')",
            "google.protobuf.Timestamp 2026-01-02T04:34:05Z"},
           {"timestamp(body.time) - timestamp('2026-01-02T03:04:00Z')",
            "google.protobuf.Duration 5s"},
           {"duration('-1.5s') - duration('1ms')", "google.protobuf.Duration -1.501s"},
           {"duration('100us') < duration('1s')", "bool true"},
           {"timestamp(0) == timestamp('1970-01-01T00:00:00Z')", "bool true"},
           {"timestamp(1.5)", "google.protobuf.Timestamp 1970-01-01T00:00:01.5Z"},
           {"timestamp('9999-12-31T23:59:59Z') + duration('1s')", "error timestamp overflow"},
           {"timestamp('0001-01-01T00:00:00Z') - duration('1ns')", "error timestamp overflow"},
           {"timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
            "error duration overflow"},
           {"duration('9223372036s') + duration('9223372036s')", "error duration overflow"},
           {"duration('9223372037s')", "error \"9223372037s\" is no duration"},
           {"duration('1')", "error \"1\" is no duration"},
           {"duration('')", "error \"\" is no duration"},
           {"timestamp('2026-02-30T00:00:00Z')", "error \"2026-02-30T00:00:00Z\" is no timestamp"},
           {"timestamp('2026-02-03')", "error \"2026-02-03\" is no timestamp"},
           {"timestamp(body.time) + timestamp(body.time)",
            "error no such overload: google.protobuf.Timestamp + google.protobuf.Timestamp"},
           {"timestamp(body.time).getHours('Mars')",
            "error unknown time zone \"Mars\": write \"UTC\" or an offset (\"+02:00\")"}},
          sample);
    check_true({"timestamp(body.time).getFullYear() == 2026",
                "timestamp(body.time).getMonth() == 0",
                "timestamp(body.time).getDate() == 2",
                "timestamp(body.time).getDayOfMonth() == 1",
                "timestamp(body.time).getDayOfYear() == 1",
                "timestamp(body.time).getDayOfWeek() == 5",
                "timestamp(body.time).getHours('-04:00') == 23",
                "timestamp(body.time).getMinutes() == 4 && timestamp(body.time).getSeconds() == 5",
                "duration('3730s').getMinutes() == 62",
                "duration('1.25s').getMilliseconds() == 1250"},
               sample);
}

TEST_CASE("cel: literals") {
    check_true({R"('\x41\u0042\U00000043\104' == "ABCD")",
                R"("\a\b\f\n\r\t\v\\\'\"\`\?".size() == 12)",
                R"(r'\n'.size() == 2 && R"\d".size() == 2)",
                "'''a'b\nc'''.size() == 5",
                R"("""a"b""" == 'a"b')",
                R"(b'\xff' == b'\377')",
                R"(br'\x'.size() == 2)",
                "[1, 2,].size() == 2",
                "{'a': 1,}.size() == 1",
                "1 // a comment\n == 1",
                ".5 == 0.5 && 1e-2 == 0.01",
                "body.for == 1",
                "-  5 == -5"},
               R"({"for": 1})");
}

TEST_CASE("cel: what does not compile says where and why") {
    const std::vector<std::pair<const char*, const char*>> cases = {
        {"", "0: the expression ends early"},
        {"body.a ==", "9: the expression ends early"},
        {"body.a = 1", "7: \"=\" means nothing here"},
        {"boddy.a", "0: unknown name \"boddy\" (known: body)"},
        {"body.all(x, y)", "12: unknown name \"y\" (known: body, x)"},
        {"length(body)", "0: unknown function \"length\""},
        {"body.lower()", "5: unknown function \"lower\""},
        {"size()", "0: size() takes one argument"},
        {"body.matches()", "5: matches() takes one argument"},
        {"contains(body, 'a')", "0: contains() is called on a value: value.contains()"},
        {"body.int()", "5: int() is called as int(value)"},
        {"has(body)", "0: has() wants a field: has(a.b)"},
        {"exists(x, x)", "0: \"exists\" is called on a list or map"},
        {"body.all(x)", "9: all() wants a name first: list.all(x, ...)"},
        {"body.all(x, true, true)", "5: the macro takes a name and one expression"},
        {"body.map(x, 1, 2, 3)", "5: map() takes a name and one or two expressions"},
        {"(1", "2: expected \")\", found the end"},
        {"[1 2]", "3: expected \",\", found \"2\""},
        {"{1}", "2: expected \":\", found \"}\""},
        {"1 2", "2: \"2\" is not expected here"},
        {"body.1", "4: \".1\" is not expected here"},
        {"body.in", "5: expected a name after \".\", found \"in\""},
        {"a ++ b", "0: unknown name \"a\" (known: body)"},
        {"1 ++ 2", "3: \"+\" is not expected here"},
        {"!-body", "1: \"-\" is not expected here"},
        {"while", "0: \"while\" is a reserved word"},
        {"9223372036854775808", "0: the number is over 63 bits"},
        {"99999999999999999999", "0: the number is over 64 bits"},
        {"-1u", "1: an unsigned number has no sign"},
        {"1e999", "0: no double can hold this number"},
        {"0x", "0: \"0x\" wants hexadecimal digits"},
        {"1x", "1: \"x\" is not part of a number"},
        {"'abc", "0: the string does not end"},
        {"'a\nb'", "2: a string with single quotes ends on its line"},
        {"'\\q'", "1: no such escape in a string"},
        {"'\\u12'", "1: the escape wants 4 hexadecimal digits"},
        {"'\\ud800'", "1: the escape is no character"},
        {"b'\\u0041'", "2: bytes have no code points: write \\x and two digits"},
        {"'\xff'", "0: the string is not UTF-8"},
        {"body.matches('(')", "13: the pattern \"(\" is no regular expression: missing ): ("}};
    for (const auto& item : cases) {
        CAPTURE(item.first);
        CHECK(mistake(item.first) == std::string{item.second});
    }
}

TEST_CASE("cel: samples and labels") {
    const auto number = [](std::string_view text) {
        return to_number(compiled(text)->evaluate(boost::json::value{}).value);
    };
    const auto text = [](std::string_view expression) {
        const auto owner = compiled(expression);
        return to_text(owner->evaluate(boost::json::value{}).value);
    };
    CHECK(number("true") == 1.0);
    CHECK(number("-3") == -3.0);
    CHECK(number("3u") == 3.0);
    CHECK(number("duration('1500ms')") == 1.5);
    CHECK(number("timestamp('1970-01-01T00:00:01.5Z')") == 1.5);
    CHECK_FALSE(number("null"));
    CHECK_FALSE(number("[1]"));
    CHECK_FALSE(number("{1: 1}"));
    CHECK(text("1e6") == "1000000");
    CHECK(text("0.1") == "0.1");
    CHECK(text("1e300") == "1e+300");
    CHECK(text("-5") == "-5");
    CHECK(text("false") == "false");
    CHECK_FALSE(text("null"));
    CHECK_FALSE(text("['a']"));
    CHECK_FALSE(text("b'a'"));
    const auto number_in = [](std::string_view content) {
        return to_number(Value{Text{content, nullptr}});
    };
    CHECK(number_in("12.5") == 12.5);
    CHECK(number_in("+1e3") == 1000.0);
    for (const auto* content : {"", "1 ", " 1", "x", "1x", "inf", "NaN", "--1", "+"}) {
        CAPTURE(content);
        CHECK_FALSE(number_in(content));
    }
}

TEST_CASE("cel: several variables, and many threads with one expression") {
    CompileError error;
    const auto expression = Expression::compile("a.startsWith(b) && c > 1", {"a", "b", "c"}, error);
    REQUIRE(expression != nullptr);
    std::vector<std::thread> threads;
    std::vector<int> good(4);
    threads.reserve(good.size());
    for (auto& count : good) {
        threads.emplace_back([&expression, &count] {
            const std::vector<Value> values = {
                Value{Text{"hello", nullptr}}, Value{Text{"he", nullptr}}, Value{std::int64_t{2}}};
            for (int round = 0; round < 200; ++round) {
                const auto result = expression->evaluate(values);
                const auto* flag = result.value.get<bool>();
                count += flag != nullptr && *flag ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(good == std::vector<int>(4, 200));
}

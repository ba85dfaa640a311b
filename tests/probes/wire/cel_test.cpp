// The expression language: fields, operators, macros, and what blackbox_exporter says.
#include "tests/probes/wire/cel_fixture.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes::wire::cel;        // NOLINT(google-build-using-namespace)
using namespace sonde::probes::wire::cel::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("cel: a body's fields") {
    check({{"body.status == 'ok' && size(body.items) > 2", "bool true"},
           {"body.n", "double 3"},
           {"body.big", "double 9007199254740993"},
           {"body.half", "double 0.5"},
           {"body.none", "null_type"},
           {"body.items", "list of 3"},
           {"body.nested", "map of 1"},
           {"body.nested.a.b", "string c"},
           {"body['key with space']", "double 1"},
           {"body.items[1].id", "string b"},
           {"body.items[body.n - 1].id", "string c"},
           {"body.items[1.0].id", "string b"},
           {"body.missing", "error no such key: missing"},
           {"body.missing == 'x'", "error no such key: missing"},
           {"body.status.deeper", "error no such key: deeper (in string)"},
           {"body.items[3]", "error index out of bounds: 3"},
           {"body.items[-1]", "error index out of bounds: -1"},
           {"body.items[0.5]", "error index out of bounds: 0.5"},
           {"body.items['a']", "error no such overload: list[string]"},
           {"body['x']", "error no such key: x"},
           {"body[1]", "error no such key: 1"},
           {"body.n[0]", "error no such overload: double[int]"}},
          sample);
    check({{"body", "double 3"}, {"body.x", "error no such key: x (in double)"}}, "3");
    check({{"body.x", "error no such key: x (in null_type)"}, {"has(body.x)", "bool false"}},
          "null");
}

TEST_CASE("cel: numbers of a body are doubles, and go with other numbers") {
    check({{"body.n + 1", "double 4"},
           {"1 + body.n", "double 4"},
           {"body.n / 2", "double 1.5"},
           {"body.n % 2 == 1", "bool true"},
           {"body.n * 2u", "double 6"},
           {"body.n % 0", "error modulus by zero"},
           {"type(body.n) == double", "bool true"},
           {"string(body.n)", "string 3"},
           {"int(body.n) / 2", "int 1"},
           {"body.n + 'x'", "error no such overload: double + string"}},
          sample);
    check_true({"body.n == 3",
                "body.n == 3u",
                "3 == body.n",
                "body.n != 4",
                "body.n >= 3u",
                "body.n in [1, 2, 3]",
                "2 in body.numbers == false",
                "2.5 in body.numbers",
                "body.n == 3.0",
                "!(body.n == '3')",
                "body.n < 4 && 4 > body.n"},
               sample);
}

TEST_CASE("cel: arithmetic is checked") {
    check({{"1 + 2 * 3 - 4 / 2", "int 5"},
           {"7 / -2", "int -3"},
           {"-7 % 3", "int -1"},
           {"9223372036854775807 + 1", "error integer overflow"},
           {"-9223372036854775808 - 1", "error integer overflow"},
           {"-9223372036854775808 / -1", "error integer overflow"},
           {"-9223372036854775808 % -1", "error integer overflow"},
           {"-(-9223372036854775808)", "error integer overflow"},
           {"1u - 2u", "error unsigned integer overflow"},
           {"18446744073709551615u * 2u", "error unsigned integer overflow"},
           {"1 / 0", "error division by zero"},
           {"1 % 0", "error modulus by zero"},
           {"1u / 0u", "error division by zero"},
           {"1.0 / 0.0", "double +Inf"},
           {"1 + 1u", "error no such overload: int + uint"},
           {"0x1F + 0xffu", "error no such overload: int + uint"},
           {"0x1F", "int 31"},
           {"-0x10", "int -16"},
           {"1e3 + .5", "double 1000.5"},
           {"--1", "int 1"},
           {"-body.x", "error no such key: x"},
           {"true + true", "error no such overload: bool + bool"},
           {"-'a'", "error no such overload: -string"},
           {"'a' + 'b'", "string ab"},
           {"b'a' + b'b' == b'ab'", "bool true"},
           {"[1] + ['a', 2]", "list of 3"}});
}

TEST_CASE("cel: equality never fails, order does") {
    check_true({"1 == 1.0",
                "1u == 1",
                "1 != '1'",
                "null == null",
                "null != 0",
                "[1, 2] == [1.0, 2u]",
                "[1] != [1, 2]",
                "{'a': 1} == {'a': 1.0}",
                "{'a': 1} != {'b': 1}",
                "{1: 2} == {1u: 2.0}",
                "double('NaN') != double('NaN')",
                "-1 < 1u",
                "1u > -1",
                "18446744073709551615u > 1",
                "1 < 1.5",
                "2.5 > 2u",
                "false < true",
                "'a' < 'b'",
                "'a' < 'aa'",
                "b'a' <= b'a'",
                "type(1) == int",
                "type(type(1)) == type",
                "type(null) == null_type",
                "type(duration('1s')) == google.protobuf.Duration",
                "type([]) == list",
                "type({}) == map",
                "type('') != bytes",
                "type(1u) == uint && type(true) == bool && type('') == string",
                "2 in {1: 'x', 2u: 'y'}",
                "!('a' in {})",
                "'a' in ['a']",
                "{1u: 'x'}[1] == 'x'"});
    check({{"1 < 'a'", "error no such overload: int < string"},
           {"null < null", "error no such overload: null_type < null_type"},
           {"[1] < [2]", "error no such overload: list < list"},
           {"1 < 2 < 3", "error no such overload: bool < int"},
           {"1.0 < double('NaN')", "error NaN values cannot be ordered"},
           {"1 in 1", "error no such overload: int in int"},
           {"{1: 2, 1u: 3}", "error a key of the map is there twice"},
           {"{1.5: 2}", "error unsupported key type: double"}});
}

TEST_CASE("cel: one side settles what the other fails") {
    check({{"true || body.x", "bool true"},
           {"body.x || true", "bool true"},
           {"false && body.x", "bool false"},
           {"body.x && false", "bool false"},
           {"body.x || false", "error no such key: x"},
           {"body.x && body.y && true", "error no such key: x"},
           {"1 && false", "bool false"},
           {"1 && true", "error no such overload: int where a bool is wanted"},
           {"body.x ? 1 : 2", "error no such key: x"},
           {"true ? 1 : body.x", "int 1"},
           {"false ? body.x : true ? 2 : 3", "int 2"},
           {"1 ? 2 : 3", "error no such overload: int where a bool is wanted"},
           {"!1", "error no such overload: !int"},
           {"!!true", "bool true"},
           {"(body.x == 1 || true) && !false", "bool true"}});
}

TEST_CASE("cel: has and the macros") {
    check({{"has(body.status)", "bool true"},
           {"has(body.none)", "bool true"},
           {"has(body.missing)", "bool false"},
           {"has(body.status.x)", "bool false"},
           {"has(body.missing.x)", "error no such key: missing"},
           {"has(body.items.x)", "error no such overload: has(list.x)"},
           {"has({'a': 1}.a)", "bool true"},
           {"body.items.exists(i, i.id == 'b')", "bool true"},
           {"body.items.exists(i, i.n == 2)", "bool true"},
           {"body.items.exists(i, i.n == 4)", "error no such key: n"},
           {"body.items.all(i, has(i.id))", "bool true"},
           {"body.items.all(i, i.n == 1)", "bool false"},
           {"body.items.all(i, i.n < 5)", "error no such key: n"},
           {"body.items.exists_one(i, i.id == 'b')", "bool true"},
           {"body.items.existsOne(i, has(i.n))", "bool false"},
           {"body.items.exists_one(i, i.n == 1)", "error no such key: n"},
           {"body.items.map(i, i.id) == ['a', 'b', 'c']", "bool true"},
           {"body.items.map(i, has(i.n), i.n * 2) == [2, 4]", "bool true"},
           {"body.items.filter(i, !has(i.n))", "list of 1"},
           {"body.items.filter(i, i.n > 0)", "error no such key: n"},
           {"body.nested.all(key, key == 'a')", "bool true"},
           {"{'x': 1, 'y': 2}.map(k, k) == ['x', 'y']", "bool true"},
           {"[].all(x, x) && ![].exists(x, x)", "bool true"},
           {"[[1], [2, 3]].map(x, x.map(y, y + size(x))) == [[2], [4, 5]]", "bool true"},
           {"[1, 2].exists(body, body == 2)", "bool true"},
           {"[1, 2].all(x, [x].exists(x, x > 0) && x > 0)", "bool true"},
           {"body.n.all(x, true)",
            "error no such overload: a macro goes over a list or map, not over double"},
           {"[1].all(x, x)", "error no such overload: int where a bool is wanted"}},
          sample);
}

TEST_CASE("cel: functions on text") {
    check_true({"size('') == 0 && 'ab'.size() == 2",
                "size('\\u00fc\\U0001F600') == 2",
                "size(b'\\xff\\x00') == 2",
                "size([1, 2]) == 2 && {'a': 1}.size() == 1",
                "'hello'.contains('ell') && !'hello'.contains('x') && 'a'.contains('')",
                "'hello'.startsWith('he') && !'he'.startsWith('hello')",
                "'hello'.endsWith('lo')",
                "'hello'.matches('^h.*o$')",
                "matches('hello', 'l+')",
                "!'hello'.matches('^ello')",
                "'v1.2'.matches('[0-9]' + '\\\\.')",
                "'\\u00fc'.matches('^.$')"});
    check({{"size(1)", "error no such overload: size(int)"},
           {"body.contains('a')", "error no such overload: contains(map, string)"},
           {"'a'.startsWith(1)", "error no such overload: startsWith(string, int)"},
           {"'a'.matches('(' + 'a')",
            "error the pattern \"(a\" is no regular expression: missing ): (a"}});
}

TEST_CASE("cel: the verdicts that blackbox_exporter has") {
    check({{"body.foo.bar == 'baz'", "bool true"}, {"body.a == 'b'", "error no such key: a"}},
          R"({"foo": {"bar": "baz"}})");
    check({{"has(body.x)", "bool false"}, {"has(body.a)", "bool false"}, {"1", "int 1"}}, "{}");
    check({{"body.a == 'b'", "bool true"}, {"has(body.a)", "bool true"}}, R"({"a": "b"})");
}

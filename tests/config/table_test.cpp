#include "tests/config/table_fixture.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace std::chrono_literals;
using namespace sonde::config;
using sonde::config::test::Documents;

TEST_CASE("every type is read, and an absent key leaves the value") {
    Documents documents;
    Table table = documents.table(R"(
flag = true
count = 7
ratio = 2
word = "warn"
text = "hello"
wait = "1m30s"
size = "64KiB"
list = ["a", "b"]
one = "single"
numbers = [1, 2.5]
[map]
k = "v"
)");
    bool flag = false;
    std::int64_t count = 0;
    double ratio = 0;
    std::string word = "info";
    std::string text;
    Duration wait{};
    Bytes size;
    std::vector<std::string> list;
    std::vector<std::string> one;
    std::vector<double> numbers;
    std::map<std::string, std::string> map;
    std::int64_t absent = 42;
    constexpr std::array<std::string_view, 2> words{"info", "warn"};
    CHECK(table.read({"flag", ""}, flag));
    CHECK(table.read({"count", ""}, count, 0, 10));
    CHECK(table.read({"ratio", ""}, ratio, 0.0, 10.0));
    CHECK(table.read_word({"word", ""}, word, words));
    CHECK(table.read({"text", ""}, text));
    CHECK(table.read({"wait", ""}, wait, 1s, 1h));
    CHECK(table.read({"size", ""}, size, Bytes{0}, Bytes{1U << 20U}));
    CHECK(table.read({"list", ""}, list));
    CHECK(table.read({"one", ""}, one));
    CHECK(table.read({"numbers", ""}, numbers));
    CHECK(table.read({"map", ""}, map));
    CHECK_FALSE(table.read({"absent", ""}, absent, 0, 100));
    table.report_unknown();
    CHECK(documents.diagnostics.text() == "");
    CHECK(flag);
    CHECK(count == 7);
    CHECK(ratio == 2.0);
    CHECK(word == "warn");
    CHECK(text == "hello");
    CHECK(wait == 90s);
    CHECK(size.count == 65536);
    CHECK(list == std::vector<std::string>{"a", "b"});
    CHECK(one == std::vector<std::string>{"single"});
    CHECK(numbers == std::vector<double>{1, 2.5});
    CHECK(map == std::map<std::string, std::string>{{"k", "v"}});
    CHECK(absent == 42);
}

TEST_CASE("a wrong value is reported at its line and leaves the old value") {
    Documents documents;
    Table table = documents.table(R"(flag = "yes"
count = 11
word = "wran"
text = { env = "SET" }
wait = "90"
short = "1ms"
list = ["a",
  3]
numbers = [1,
  "2"]
map = { k = 1 }
size = -1
ratio = nan
plain = 5
)");
    bool flag = false;
    std::int64_t count = 1;
    std::string word = "info";
    std::string text = "old";
    Duration wait = 5s;
    std::vector<std::string> list{"old"};
    std::vector<double> numbers{1};
    std::map<std::string, std::string> map;
    Bytes size{5};
    double ratio = 1;
    constexpr std::array<std::string_view, 2> words{"info", "warn"};
    CHECK_FALSE(table.read({"flag", ""}, flag));
    CHECK_FALSE(table.read({"count", ""}, count, 0, 10));
    CHECK_FALSE(table.read_word({"word", ""}, word, words));
    CHECK_FALSE(table.read({"text", ""}, text));
    CHECK_FALSE(table.read({"wait", ""}, wait, 1s, 1h));
    CHECK_FALSE(table.read({"short", ""}, wait, 1s, 1h));
    CHECK_FALSE(table.read({"list", ""}, list));
    CHECK_FALSE(table.read({"numbers", ""}, numbers));
    CHECK_FALSE(table.read({"map", ""}, map));
    CHECK_FALSE(table.read({"size", ""}, size, Bytes{0}, Bytes{10}));
    CHECK_FALSE(table.read({"ratio", ""}, ratio, 0.0, 1.0));
    CHECK_FALSE(table.read({"plain", ""}, text));
    CHECK(
        documents.diagnostics.text() ==
        "t.toml:1: t.flag: must be true or false, not a string\n"
        "t.toml:2: t.count: must be between 0 and 10\n"
        "t.toml:3: t.word: must be one of \"info\", \"warn\", not \"wran\"; did you mean "
        "\"warn\"?\n"
        "t.toml:4: t.text: must be a plain string: a secret cannot be used here\n"
        "t.toml:5: t.wait: must be a duration such as \"500ms\", \"30s\" or \"1m30s\", not \"90\"\n"
        "t.toml:6: t.short: must be between 1s and 1h\n"
        "t.toml:8: t.list: must be a string, not an integer\n"
        "t.toml:10: t.numbers: must be a list of numbers, not a string\n"
        "t.toml:11: t.map.k: must be a string, not an integer\n"
        "t.toml:12: t.size: must be a number of bytes such as 65536 or \"64MiB\"\n"
        "t.toml:13: t.ratio: must be between 0 and 1\n"
        "t.toml:14: t.plain: must be a string, not an integer\n");
    CHECK(text == "old");
    CHECK(wait == 5s);
    CHECK(list == std::vector<std::string>{"old"});
    CHECK(numbers == std::vector<double>{1});
    CHECK(size.count == 5);
}

TEST_CASE("layers: the most specific wins, tables merge, lists replace, false removes") {
    Documents documents;
    Table table{
        documents.context,
        {documents.layer("target",
                         "a = 1\nlist = ['x']\ngone = false\nheaders = { B = 'b1', C = false }\n"
                         "[tls]\nname = 'n1'\n"),
         documents.layer("module",
                         "a = 2\nb = 2\nlist = ['y', 'z']\nheaders = { A = 'a2', B = 'b2' }\n"
                         "flag = false\n[tls]\nname = 'n2'\nca = 'ca2'\n[sub]\nx = 1\n"),
         documents.layer("defaults",
                         "b = 3\nc = 3\ngone = 'inherited'\nflag = true\n"
                         "headers = { C = 'c3' }\n[sub]\ny = 1\n")}};
    std::int64_t a = 0;
    std::int64_t b = 0;
    std::int64_t c = 0;
    std::vector<std::string> list;
    std::string gone = "built-in";
    bool flag = true;
    std::map<std::string, std::string> headers;
    table.read({"a", ""}, a, 0, 9);
    table.read({"b", ""}, b, 0, 9);
    table.read({"c", ""}, c, 0, 9);
    table.read({"list", ""}, list);
    CHECK_FALSE(table.read({"gone", ""}, gone));
    CHECK(table.read({"flag", ""}, flag));
    table.read({"headers", ""}, headers);
    CHECK(a == 1);
    CHECK(b == 2);
    CHECK(c == 3);
    CHECK(list == std::vector<std::string>{"x"});
    CHECK(gone == "built-in");
    CHECK_FALSE(flag);
    CHECK(headers == std::map<std::string, std::string>{{"A", "a2"}, {"B", "b1"}});
    Table tls = table.sub({"tls", ""});
    std::string name;
    std::string ca;
    tls.read({"name", ""}, name);
    tls.read({"ca", ""}, ca);
    CHECK(name == "n1");
    CHECK(ca == "ca2");
    CHECK(tls.origin("ca") == std::size_t{1});
    CHECK(table.origin("a") == std::size_t{0});
    CHECK(table.origin("c") == std::size_t{2});
    CHECK(table.origin("gone") == std::nullopt);
    CHECK(table.origin("absent") == std::nullopt);
    CHECK(documents.diagnostics.ok());
}

TEST_CASE("false in a more specific layer removes a whole table and a whole map") {
    Documents documents;
    Table table{documents.context,
                {documents.layer("target", "tls = false\nheaders = false\n"),
                 documents.layer("module", "tls = { name = 'n' }\nheaders = { A = 'a' }\n")}};
    std::string name = "built-in";
    std::map<std::string, Text> headers;
    CHECK_FALSE(table.sub({"tls", ""}).read({"name", ""}, name));
    CHECK_FALSE(table.read({"headers", ""}, headers));
    CHECK(headers.empty());
    table.report_unknown();
    CHECK(documents.diagnostics.text() == "");
}

TEST_CASE("what is wrong in a layer that was checked on its own is not reported again") {
    Documents documents;
    Layer module = documents.layer("module", "count = 'x'\nheaders = { A = 1 }\nlist = [1]\n");
    module.checked = true;
    Table table{documents.context, {documents.layer("target", "other = 1\n"), module}};
    std::int64_t count = 5;
    std::map<std::string, Text> headers;
    CHECK_FALSE(table.read({"count", ""}, count, 0, 9));
    CHECK_FALSE(table.read({"headers", ""}, headers));
    table.each({"list", ""}, "string", [](const Value& value) { value.error("wrong"); });
    table.error("count", "wrong as well");
    table.error_in("headers", "A", "wrong as well");
    CHECK(documents.diagnostics.text() == "");
    CHECK(count == 5);
    table.error("", "of the target");
    table.error("missing", "must be given");
    CHECK(documents.diagnostics.text() ==
          "target.toml:1: target: of the target\ntarget.toml:1: target.missing: must be given\n");
}

TEST_CASE("a part of a whole says nothing of the keys it does not have") {
    Documents documents;
    documents.context.partial = true;
    Table table = documents.table("a = 1\n");
    table.error("missing", "must be given");
    CHECK(documents.diagnostics.ok());
    table.error("a", "wrong");
    CHECK(documents.diagnostics.text() == "t.toml:1: t.a: wrong\n");
}

TEST_CASE("unknown keys of the most specific layer are reported, below read sub-tables too") {
    Documents documents;
    Table table{
        documents.context,
        {documents.layer("target",
                         "intervall = 1\nwholly_other = 1\n[tls]\nca = 'x'\nserver-name = 'y'\n"
                         "[free]\nany = 'thing'\n"),
         documents.layer("module", "unheard_of = 1\n")}};
    Duration interval{};
    std::string text;
    std::map<std::string, std::string> free;
    table.read({"interval", ""}, interval, 1s, 2s);
    table.read({"free", ""}, free);
    {
        Table tls = table.sub({"tls", ""});
        tls.read({"ca", ""}, text);
        tls.read({"server_name", ""}, text);
    }
    table.report_unknown();
    CHECK(documents.diagnostics.text() ==
          "target.toml:1: target.intervall: unknown key, did you mean \"interval\"?\n"
          "target.toml:2: target.wholly_other: unknown key; known here: free, interval, tls\n"
          "target.toml:5: target.tls.server-name: unknown key, did you mean \"server_name\"?\n");
}

TEST_CASE("keys can be counted as known without reading them") {
    Documents documents;
    Table table = documents.table("a = 1\n[tls]\nca = 1\nother = 2\n");
    {
        Table other{documents.context, {}};
        std::int64_t number = 0;
        other.sub({"tls", ""}).read({"ca", ""}, number, 0, 9);
        table.allow_keys_of(other);
    }
    CHECK(table.unread() != "");
    table.allow("a");
    CHECK(table.unread() == "");
    table.report_unknown();
    CHECK(documents.diagnostics.text() == "t.toml:4: t.tls.other: unknown key; known here: ca\n");
}

TEST_CASE("a key that is only tolerated is not offered for an unknown one") {
    Documents documents;
    Table table = documents.table("name = 1\nnam = 2\n");
    table.tolerate("name");
    table.allow("labels");
    table.report_unknown();
    CHECK(documents.diagnostics.text() == "t.toml:2: t.nam: unknown key; known here: labels\n");
}

TEST_CASE("a list of mixed elements is walked; one value counts as a list of one") {
    Documents documents;
    Table table = documents.table("status = ['2xx', 404, { from = 1 }, 1.5]\nsingle = 301\n");
    std::string seen;
    const auto each = [&](const Value& value) {
        if (const auto text = value.string()) {
            seen += "s:" + *text + " ";
        } else if (const auto number = value.integer()) {
            seen += "i:" + std::to_string(*number) + " ";
        } else if (auto inner = value.table()) {
            std::int64_t from = 0;
            inner->read({"from", ""}, from, 2, 3);
            seen += "t ";
        } else {
            value.error("must be something else");
        }
    };
    table.each({"status", ""}, "status", each);
    table.each({"single", ""}, "status", each);
    table.each({"absent", ""}, "status", each);
    CHECK(seen == "s:2xx i:404 t i:301 ");
    CHECK(documents.diagnostics.text() ==
          "t.toml:1: t.status[2].from: must be between 2 and 3\n"
          "t.toml:1: t.status[3]: must be something else\n");
}

TEST_CASE("keys that TOML would quote are quoted in errors") {
    Documents documents;
    Table table{documents.context, {documents.layer("target", "\"a b\" = 1\n\"q\\\"\" = 1\n")}};
    table.report_unknown();
    CHECK(documents.diagnostics.text().find("target.\"a b\": unknown key") != std::string::npos);
    CHECK(documents.diagnostics.text().find("target.\"q\\\"\": unknown key") != std::string::npos);
}

TEST_CASE("equal settings leave equal traces, however they are written") {
    const auto trace_of = [](std::string_view target, std::string_view module) {
        Documents documents;
        std::string trace;
        documents.context.trace = &trace;
        Table table{documents.context,
                    {documents.layer("target", target), documents.layer("module", module)}};
        std::vector<std::string> status{"2xx"};
        Text token;
        std::string name;
        table.read({"status", ""}, status);
        table.read({"token", ""}, token);
        table.sub({"tls", ""}).read({"name", ""}, name);
        return trace;
    };
    CHECK(trace_of("", "") == trace_of("status = '2xx'", ""));
    CHECK(trace_of("status = ['301']", "") == trace_of("", "status = '301'"));
    CHECK(trace_of("status = ['301']", "") != trace_of("status = ['30', '1']", ""));
    CHECK(trace_of("token = { env = 'SET' }", "") != trace_of("token = 'from-env'", ""));
    CHECK(trace_of("token = { env = 'SET' }", "") != trace_of("", ""));
    CHECK(trace_of("tls = { name = 'a' }", "") != trace_of("", ""));
    CHECK(trace_of("tls = { name = 'a' }", "") == trace_of("[tls]", "tls.name = 'a'"));
}

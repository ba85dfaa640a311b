#include "config/document.hpp"

#include <doctest/doctest.h>

using namespace sonde::config;

TEST_CASE("a syntax error is reported with its line") {
    Diagnostics diagnostics;
    CHECK_FALSE(Document::parse("a = 1\nb = \n", {"x.toml", "/"}, diagnostics));
    REQUIRE(diagnostics.all().size() == 1);
    CHECK(diagnostics.all().front().file == "x.toml");
    CHECK(diagnostics.all().front().line == 2);
    CHECK(diagnostics.all().front().message.starts_with("not valid TOML: "));
}

TEST_CASE("text that toml++ could not survive or take is an error") {
    for (const std::string& text : {[] {
                                        std::string key = "a";
                                        for (int i = 0; i < 200'000; ++i) {
                                            key += ".a";
                                        }
                                        return "ok = 1\n" + key + " = 1\n";
                                    }(),
                                    "a = " + std::string(100'000, '['),
                                    std::string{"a = \"\xff\"\n"},
                                    std::string{"a = 1\na = 2\n"},
                                    std::string{"\0", 1}}) {
        Diagnostics diagnostics;
        CHECK_FALSE(Document::parse(text, {"x.toml", "/"}, diagnostics));
        CHECK_FALSE(diagnostics.ok());
    }
}

TEST_CASE("many dots in strings, lists and comments are no endless key") {
    const std::string dots(2000, '.');
    std::string list = "ips = [";
    for (int i = 0; i < 2000; ++i) {
        list += "\"192.0.2.1\", ";
    }
    for (const std::string& text : {list + "]\n",
                                    "a = \"" + dots + "\\\"" + dots + "\"\n",
                                    "a = '" + dots + "\\'\n",
                                    "a = \"\"\"\n\"\"" + dots + "\\\"\"\"" + dots + "\"\"\"\"\"\n",
                                    "a = '''" + dots + "\n''" + dots + "\\''''\n",
                                    "\"" + dots + "\".\"\" = ''\n",
                                    "# it's " + dots + "\na = '' # \"" + dots + "\n",
                                    "# " + dots}) {
        CAPTURE(text);
        Diagnostics diagnostics;
        CHECK(Document::parse(text, {"x.toml", "/"}, diagnostics));
        CHECK(diagnostics.text() == "");
    }
}

TEST_CASE("an endless key is found at its line, behind strings and comments of any form") {
    std::string key = "a";
    for (int i = 0; i < 1001; ++i) {
        key += i % 2 == 0 ? ".b" : ".\"=\"";
    }
    for (const std::string_view before : {"\n\n",
                                          "a = \"\"\"\n\\\"\"\"\"\"\n",
                                          "a = '''\n\\'''\n",
                                          "a = \"\\\\\"\nb = '\\'\n",
                                          "# it's\na = [\"\", '', \"\"\"\"\"\", ''''''] # \"\n"}) {
        CAPTURE(before);
        Diagnostics diagnostics;
        CHECK_FALSE(
            Document::parse(std::string{before} + key + " = 1\n", {"x.toml", "/"}, diagnostics));
        CHECK(diagnostics.text() == "x.toml:3: a dotted key of more than 1000 parts\n");
    }
}

TEST_CASE("a table that is taken out outlives the rest and keeps its lines") {
    Diagnostics diagnostics;
    std::optional<Document> taken;
    {
        auto document =
            Document::parse("a = 1\n\n[modules.api]\nb = 2\n", {"x.toml", "/"}, diagnostics);
        REQUIRE(document);
        CHECK_FALSE(document->take("absent"));
        CHECK_FALSE(document->take("a"));
        taken = document->take("modules");
    }
    REQUIRE(taken);
    const Layer layer = taken->root();
    const std::vector<Member> modules = members(layer);
    REQUIRE(modules.size() == 1);
    CHECK(modules.front().key == "api");
    CHECK(modules.front().line == 3);
    CHECK(line_in({modules.front().table, layer.source, "", false}, "b") == 4);
    CHECK(taken->source().label == "x.toml");
}

TEST_CASE("the canonical form tells different tables apart and equal ones not") {
    const auto form = [](std::string_view text) {
        Diagnostics diagnostics;
        return canonical(Document::parse(text, {"x.toml", "/"}, diagnostics)->root());
    };
    CHECK(form("a = 1\nb = 2\n") == form("b = 2\n\n# comment\na = 1\n"));
    CHECK(form("[a]\nb = 1\n") == form("a = { b = 1 }\n"));
    CHECK(form("a = 1\n") != form("a = 1.0\n"));
    CHECK(form("a = '1'\n") != form("a = 1\n"));
    CHECK(form("a = ['x', 'y']\n") != form("a = ['xy']\n"));
    CHECK(form("a = true\n") != form("a = false\n"));
    CHECK(form("a = 1979-05-27\n") != form("a = 1979-05-28\n"));
    CHECK(form("") == form("# nothing\n"));
}

// PatternSet and Matcher: RE2's meaning whatever engine runs, matches across borders, early
// verdicts.
#include "probes/wire/patterns.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using sonde::probes::wire::Matcher;
using sonde::probes::wire::PatternError;
using sonde::probes::wire::PatternSet;
using sonde::probes::wire::PatternSpec;
using sonde::probes::wire::Verdict;

namespace {

std::shared_ptr<const PatternSet> compile(const std::vector<std::string>& patterns) {
    std::vector<PatternSpec> specs;
    specs.reserve(patterns.size());
    for (const auto& pattern : patterns) {
        specs.push_back({.name = {}, .pattern = pattern, .expect_present = true});
    }
    PatternError error;
    auto set = PatternSet::compile(std::move(specs), error);
    CHECK(error.what == "");
    REQUIRE(set != nullptr);
    return set;
}

Verdict search(const std::string& pattern, std::string_view body) {
    const auto set = compile({pattern});
    Matcher matcher;
    matcher.start(set);
    matcher.feed(body);
    matcher.finish();
    return matcher.verdict(0);
}

}  // namespace

TEST_CASE("patterns: several patterns in one body, cut anywhere") {
    const auto set =
        compile({"Welcome", "(?i)exception", "wel+come to", "^<html>", "</html>$", "\\d{4}"});
    CHECK(set->size() == 6);
    constexpr std::string_view body = "<html>Welcome, 2024! An EXCEPTION of sorts.</html>";
    Matcher matcher;
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        CAPTURE(cut);
        matcher.start(set);
        matcher.feed(body.substr(0, cut));
        matcher.feed(body.substr(cut));
        matcher.finish();
        CHECK(matcher.decided());
        CHECK(matcher.verdict(0) == Verdict::found);
        CHECK(matcher.verdict(1) == Verdict::found);
        CHECK(matcher.verdict(2) == Verdict::not_found);
        CHECK(matcher.verdict(3) == Verdict::found);
        CHECK(matcher.verdict(4) == Verdict::found);
        CHECK(matcher.verdict(5) == Verdict::found);
    }
    matcher.start(set);
    for (const char& c : body) {
        matcher.feed({&c, 1});
    }
    matcher.finish();
    CHECK(matcher.verdict(1) == Verdict::found);
    CHECK(matcher.verdict(4) == Verdict::found);
}

TEST_CASE("patterns: verdicts come as early as they can") {
    const auto set = compile({"one", "two"});
    Matcher matcher;
    matcher.start(set);
    CHECK_FALSE(matcher.decided());
    CHECK_FALSE(matcher.deciding_feed());
    matcher.feed(std::string_view{"nothing"});
    matcher.feed(std::string_view{"tw"});
    matcher.feed(std::string_view{"o"});
    CHECK(matcher.verdict(1) == Verdict::found);
    CHECK(matcher.verdict(0) == Verdict::undecided);
    CHECK(matcher.deciding_feed() == 2);
    CHECK_FALSE(matcher.decided());
    matcher.feed(std::string_view{"x"});
    matcher.feed(std::string_view{" one "});
    CHECK(matcher.decided());
    CHECK(matcher.deciding_feed() == 4);
    matcher.feed(std::string_view{" one two "});
    CHECK(matcher.deciding_feed() == 4);
    matcher.finish();
    CHECK(matcher.verdict(0) == Verdict::found);

    matcher.start(set);
    matcher.feed(std::string_view{"two"});
    CHECK(matcher.verdict(0) == Verdict::undecided);
    matcher.finish();
    CHECK(matcher.decided());
    CHECK(matcher.verdict(0) == Verdict::not_found);
    CHECK(matcher.verdict(1) == Verdict::found);
}

TEST_CASE("patterns: expectations") {
    PatternError error;
    const auto set =
        PatternSet::compile({{.name = "hello", .pattern = "hello", .expect_present = true},
                             {.name = "no_error", .pattern = "error", .expect_present = false}},
                            error);
    REQUIRE(set);
    Matcher matcher;
    matcher.start(set);
    CHECK_FALSE(matcher.met(0));
    matcher.feed(std::string_view{"hello"});
    CHECK(matcher.met(0) == true);
    CHECK_FALSE(matcher.met(1));
    matcher.finish();
    CHECK(matcher.met(1) == true);
    matcher.start(set);
    matcher.feed(std::string_view{"error"});
    matcher.finish();
    CHECK(matcher.met(0) == false);
    CHECK(matcher.met(1) == false);
}

TEST_CASE("patterns: no set, an empty set, and patterns that are everywhere") {
    Matcher matcher;
    matcher.start(nullptr);
    CHECK(matcher.decided());
    matcher.feed(std::string_view{"x"});
    matcher.finish();
    CHECK(matcher.decided());
    matcher.start(compile({}));
    CHECK(matcher.decided());
    const auto everywhere = compile({"", "x*", "(a|)", "(?:b?){3}"});
    CHECK(everywhere->streams(0));
    matcher.start(everywhere);
    CHECK(matcher.decided());
    CHECK_FALSE(matcher.deciding_feed());
    CHECK(matcher.verdict(1) == Verdict::found);
    matcher.finish();
    CHECK(matcher.verdict(3) == Verdict::found);
}

TEST_CASE("patterns: RE2's meaning where PCRE's differs") {
    CHECK(search("a$", "a\n") == Verdict::not_found);
    CHECK(search("(?m)a$", "a\nb") == Verdict::found);
    CHECK(search("(?m)^b", "a\nb") == Verdict::found);
    CHECK(search("^b", "a\nb") == Verdict::not_found);
    CHECK(search("a.b", "a\nb") == Verdict::not_found);
    CHECK(search("(?s)a.b", "a\nb") == Verdict::found);
    CHECK(search("a\\sb", "a\vb") == Verdict::not_found);
    CHECK(search("a[[:space:]]b", "a\vb") == Verdict::found);
    CHECK(search("a[^b]c", "a\nc") == Verdict::found);
    CHECK(search("^a.b$",
                 "a\xd0\xb6"
                 "b") == Verdict::found);
    CHECK(search("^a..b$",
                 "a\xd0\xb6"
                 "b") == Verdict::not_found);
    CHECK(search("^a.b$",
                 "a\xff"
                 "b") == Verdict::not_found);
    CHECK(search("(?i)^k$", "\xe2\x84\xaa") == Verdict::found);
    CHECK(search("(?i)^S$", "\xc5\xbf") == Verdict::found);
    CHECK(search("a\\w", "a\xd0\xb6") == Verdict::not_found);
    CHECK(search("(?U)a+b", "aab") == Verdict::found);
    CHECK(search("\\pL\\pN",
                 "\xd0\xb6"
                 "1") == Verdict::found);
    CHECK(search("(?i)\xd0\x96", "\xd0\xb6") == Verdict::found);
    CHECK(search("^\\s*$", " \n") == Verdict::found);
    CHECK(search("^$", "") == Verdict::found);
    CHECK(search("^$", "x") == Verdict::not_found);
    CHECK(search("a{,2}", "a{,2}") == Verdict::found);
    CHECK(search("\\Qa.b\\E", "a.b") == Verdict::found);
    CHECK(search("\\Qa.b\\E", "axb") == Verdict::not_found);
    CHECK(search("\\x{263a}\\x41\\101",
                 "\xe2\x98\xba"
                 "AA") == Verdict::found);
    CHECK(search("[\xd0\xb0-\xd1\x8f]+!", "\xd0\xb6!") == Verdict::found);
    CHECK(search("\\bfoo\\b", "a foo.") == Verdict::found);
    CHECK(search("\\bfoo\\b", "a foo") == Verdict::found);
    CHECK(search("\\bfoo\\b", "afoo") == Verdict::not_found);
    CHECK(search(std::string{"a\0b", 3}, std::string_view{"xa\0b", 4}) == Verdict::found);
}

TEST_CASE("patterns: which run without a bound") {
    for (const std::string pattern : {"Welcome",
                                      "(?i)exception",
                                      "^a.*b$",
                                      "(?m)^x$",
                                      "\\d+ items?",
                                      "[^<>]+</title>",
                                      "\xd0\xb6+",
                                      "[\xd0\xb0-\xd1\x8f]x",
                                      "(?P<n>a|b){2,5}",
                                      "\\bfoo\\b",
                                      "(^|x)foo",
                                      "(?is).*foo.{0,20}bar"}) {
        CAPTURE(pattern);
        CHECK(compile({pattern})->streams(0));
    }
    for (const std::string pattern :
         {"\\pL+", "(?i)\xd0\xb6", "^$", "\\b", "\\Qa\\E", ".{500}x", "(?:^a)*b"}) {
        CAPTURE(pattern);
        CHECK_FALSE(compile({pattern})->streams(0));
    }
}

TEST_CASE("patterns: a bounded pattern in a body over the bound stays undecided") {
    const auto set = compile({"\\pL\\d", "plain"});
    CHECK_FALSE(set->streams(0));
    CHECK(set->streams(1));
    Matcher matcher;
    matcher.start(set, 10);
    matcher.feed(std::string_view{"plain"});
    matcher.feed(std::string_view{"a1345"});
    CHECK_FALSE(matcher.body_too_large());
    matcher.finish();
    CHECK(matcher.decided());
    CHECK(matcher.verdict(0) == Verdict::found);

    matcher.start(set, 10);
    matcher.feed(std::string_view{"plain"});
    matcher.feed(std::string_view{"a13456"});
    CHECK(matcher.body_too_large());
    matcher.feed(std::string_view{"a1"});
    matcher.finish();
    CHECK_FALSE(matcher.decided());
    CHECK(matcher.verdict(0) == Verdict::undecided);
    CHECK_FALSE(matcher.met(0));
    CHECK(matcher.verdict(1) == Verdict::found);

    matcher.start(set, 10);
    CHECK_FALSE(matcher.body_too_large());
    const std::string large(2 * Matcher::default_max_extract_body, 'x');
    matcher.start(compile({"x\\z", "y"}));
    matcher.feed(large);
    matcher.finish();
    CHECK_FALSE(matcher.body_too_large());
    CHECK(matcher.verdict(0) == Verdict::found);
    CHECK(matcher.verdict(1) == Verdict::not_found);
}

TEST_CASE("patterns: one matcher for many sets") {
    const auto first = compile({"one", "two"});
    const auto second = compile({"three"});
    Matcher matcher;
    for (int round = 0; round < 3; ++round) {
        matcher.start(first);
        matcher.feed(std::string_view{"t"});
        matcher.start(first);  // the rest of a search that was given up must not count
        matcher.feed(std::string_view{"wo one"});
        matcher.finish();
        CHECK(matcher.verdict(0) == Verdict::found);
        CHECK(matcher.verdict(1) == Verdict::not_found);
        matcher.start(second);
        matcher.feed(std::string_view{"three"});
        CHECK(matcher.decided());
        CHECK(matcher.set() == second.get());
    }
    matcher.start(compile({"four"}));  // only the matcher holds this set now
    matcher.feed(std::string_view{"four"});
    CHECK(matcher.decided());
}

TEST_CASE("patterns: errors say which pattern, where and what") {
    PatternError error;
    CHECK_FALSE(PatternSet::compile({{.name = "", .pattern = "good", .expect_present = true},
                                     {.name = "", .pattern = "ab(c", .expect_present = true}},
                                    error));
    CHECK(error.index == 1);
    CHECK(error.what == "missing ): ab(c");
    for (const std::string pattern : {"a**",
                                      "(?<n>a)",
                                      "[a",
                                      "a{2000}",
                                      "(?=a)",
                                      "\\1",
                                      "a\\",
                                      "\xff",
                                      "[b-a]",
                                      "\\pX",
                                      "[[:foo:]]"}) {
        CAPTURE(pattern);
        const auto wrong = PatternSet::check(pattern);
        REQUIRE(wrong);
        CHECK_FALSE(wrong->what.empty());
    }
    const auto wrong = PatternSet::check("abc[z-a]");
    REQUIRE(wrong);
    CHECK(wrong->position == 4);
    CHECK(wrong->what == "invalid character class range: z-a");
    CHECK_FALSE(PatternSet::check("a(b)?"));
}

TEST_CASE("patterns: equal sets are one while somebody holds them") {
    auto first = compile({"cached", "twice"});
    const auto* address = first.get();
    CHECK(compile({"cached", "twice"}).get() == address);
    CHECK(compile({"cachedt", "wice"}).get() != address);
    PatternError error;
    const auto named =
        PatternSet::compile({{.name = "n", .pattern = "cached", .expect_present = true},
                             {.name = "", .pattern = "twice", .expect_present = true}},
                            error);
    CHECK(named.get() != address);
    const std::weak_ptr<const PatternSet> watch = first;
    first.reset();
    CHECK(watch.expired());
}

TEST_CASE("patterns: labels") {
    PatternError error;
    std::string long_pattern(127, 'x');
    long_pattern += "\xd0\xb6yz";
    const auto set =
        PatternSet::compile({{.name = "named", .pattern = "a", .expect_present = true},
                             {.name = "", .pattern = "plain", .expect_present = true},
                             {.name = "", .pattern = long_pattern, .expect_present = true}},
                            error);
    REQUIRE(set);
    CHECK(set->labels(0)->at(0) == "named");
    CHECK(set->labels(1)->at(0) == "plain");
    CHECK(set->labels(2)->at(0) == std::string(127, 'x'));
}

TEST_CASE("patterns: one set in many threads, compiled by all of them at once") {
    std::vector<std::thread> threads;
    std::vector<int> found(4, 0);
    for (std::size_t i = 0; i < found.size(); ++i) {
        threads.emplace_back([&found, i] {
            PatternError error;
            for (int round = 0; round < 20; ++round) {
                const auto set = PatternSet::compile(
                    {{.name = "", .pattern = "needle[0-9]", .expect_present = true}}, error);
                Matcher matcher;
                matcher.start(set);
                matcher.feed(std::string_view{"hay need"});
                matcher.feed(std::string_view{"le7 hay"});
                found[i] += matcher.verdict(0) == Verdict::found ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(found == std::vector<int>(4, 20));
}

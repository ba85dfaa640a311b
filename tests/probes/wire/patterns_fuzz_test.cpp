// The streaming engine against RE2 itself: random patterns on random bodies, fixed seed, bounded
// time.
#include "probes/wire/patterns.hpp"

#include <doctest/doctest.h>

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using sonde::probes::wire::Matcher;
using sonde::probes::wire::PatternError;
using sonde::probes::wire::PatternSet;
using sonde::probes::wire::PatternSpec;
using sonde::probes::wire::Verdict;

namespace {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::size_t below(std::size_t limit) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::size_t>(state_ >> 33U) % limit;
    }

    template <std::size_t N>
    std::string one_of(const char* const (&choices)[N]) {
        return choices[below(N)];
    }

private:
    std::uint64_t state_;
};

// Small alphabets, so that patterns and bodies meet often.
std::string atom(Random& random, int depth) {
    static constexpr const char* atoms[] = {"a",
                                            "b",
                                            "k",
                                            "s",
                                            "K",
                                            "\\n",
                                            "\n",
                                            " ",
                                            "_",
                                            "1",
                                            "\xd0\xb6",
                                            "\xe2\x84\xaa",
                                            ".",
                                            "\\d",
                                            "\\D",
                                            "\\w",
                                            "\\W",
                                            "\\s",
                                            "\\S",
                                            "[ab]",
                                            "[^a]",
                                            "[^\\n]",
                                            "[a-k]",
                                            "[\\w-]",
                                            "[^\\d\\s]",
                                            "[[:alpha:]]",
                                            "[^[:space:]]",
                                            "[]a]",
                                            "[\xd0\xb0-\xd1\x8f]",
                                            "[^\xd0\xb6]",
                                            "\\x61",
                                            "\\x{436}",
                                            "\\.",
                                            "\\v",
                                            "[[:^digit:]k]",
                                            "[\\Ws]",
                                            "\\x00",
                                            "[\\x00-\\x{10ffff}]",
                                            "-",
                                            "[\\x80-\\xff]",
                                            "[k-\\x{212a}]"};
    static constexpr const char* assertions[] = {
        "^", "$", "\\A", "\\z", "\\b", "\\B", "(?m:^)", "(?m:$)"};
    static constexpr const char* groups[] = {
        "(", "(?:", "(?i:", "(?s:", "(?m:", "(?P<n>", "(?i-s:", "(?U:"};
    const auto kind = random.below(20);
    if (kind < 2) {
        return random.one_of(assertions);
    }
    if (kind < 5 && depth > 0) {
        std::string group = random.one_of(groups);
        for (auto left = random.below(3) + 1; left > 0; --left) {
            group += atom(random, depth - 1);
            group += random.below(4) == 0 ? "|" : "";
        }
        return group + ')';
    }
    return random.one_of(atoms);
}

std::string pattern(Random& random) {
    static constexpr const char* quantifiers[] = {
        "*", "+", "?", "*?", "+?", "{2}", "{1,2}", "{0,3}?", "{2,}"};
    static constexpr const char* flags[] = {"(?i)", "(?s)", "(?m)", "(?is)", "(?im)", "(?ms)"};
    std::string text = random.below(3) == 0 ? random.one_of(flags) : std::string{};
    for (auto left = random.below(5) + 1; left > 0; --left) {
        text += atom(random, 2);
        if (random.below(4) == 0) {
            text += random.one_of(quantifiers);
        }
        text += random.below(10) == 0 ? "|" : "";
    }
    return text;
}

std::string body(Random& random) {
    static constexpr const char* pieces[] = {"a",
                                             "b",
                                             "k",
                                             "s",
                                             "K",
                                             "S",
                                             "\n",
                                             " ",
                                             "_",
                                             "1",
                                             "\v",
                                             "\r",
                                             "-",
                                             ".",
                                             "\xd0\xb6",
                                             "\xe2\x84\xaa",
                                             "\xc5\xbf",
                                             "\xd0",
                                             "\x80",
                                             "\xff",
                                             "\xed\xa0\x80",
                                             "\xf4\x90\x80\x80",
                                             "\xe0\x80\x80",
                                             "\xc3\xa9",
                                             "\xf0\x9f\x98\x80",
                                             "ab",
                                             "a\n"};
    std::string text;
    for (auto left = random.below(12); left > 0; --left) {
        if (random.below(30) == 0) {
            text += '\0';
        }
        text += random.one_of(pieces);
    }
    return text;
}

}  // namespace

TEST_CASE("patterns fuzz: both engines agree on every pattern and body, in every split") {
    Random random{20240501};
    Matcher matcher;
    std::size_t streaming = 0;
    std::size_t found_streaming = 0;
    std::size_t searched = 0;
    for (int round = 0; round < 8; ++round) {
        std::vector<PatternSpec> specs;
        std::vector<std::unique_ptr<RE2>> references;
        while (specs.size() < 20) {
            auto text = pattern(random);
            auto reference = std::make_unique<RE2>(text, RE2::Quiet);
            if (reference->ok()) {
                references.push_back(std::move(reference));
                specs.push_back({.name = {}, .pattern = std::move(text), .expect_present = true});
            }
        }
        PatternError error;
        const auto set = PatternSet::compile(std::move(specs), error);
        REQUIRE(set);
        for (int bodies = 0; bodies < 60; ++bodies) {
            const auto text = body(random);
            matcher.start(set);
            for (std::size_t begin = 0; begin < text.size();) {
                const auto size = std::min(text.size() - begin, 1 + random.below(6));
                matcher.feed(std::string_view{text}.substr(begin, size));
                begin += size;
            }
            matcher.finish();
            for (std::size_t i = 0; i < set->size(); ++i) {
                const bool expected =
                    references[i]->Match(text, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
                ++searched;
                streaming += set->streams(i) ? 1 : 0;
                found_streaming += set->streams(i) && expected ? 1 : 0;
                if ((matcher.verdict(i) == Verdict::found) != expected) {
                    CAPTURE(set->spec(i).pattern);
                    CAPTURE(set->streams(i));
                    CAPTURE(text);
                    CHECK_MESSAGE(false, "the engines disagree; RE2 says ", expected);
                }
            }
        }
    }
    // A test in which nothing streams, or nothing is ever found, would show nothing.
    MESSAGE(searched, " searches, ", streaming, " streaming, ", found_streaming, " of them found");
    CHECK(streaming > searched / 2);
    CHECK(found_streaming > streaming / 10);
    CHECK(found_streaming < streaming);
}

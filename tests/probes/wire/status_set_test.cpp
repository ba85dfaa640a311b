// StatusSet: what a config may write, and the text that comes back.
#include "probes/wire/status_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using sonde::probes::wire::StatusSet;

TEST_CASE("status set: codes, ranges and classes") {
    StatusSet set;
    std::string error;
    CHECK(set.empty());
    CHECK_FALSE(set.contains(200));
    CHECK(set.add("2xx", error));
    CHECK(set.add("401", error));
    CHECK(set.add("500-503", error));
    CHECK(set.add(404, error));
    CHECK(set.add("3XX", error));
    CHECK_FALSE(set.empty());
    for (unsigned code = 0; code < 1100; ++code) {
        CAPTURE(code);
        const bool expected = (code >= 200 && code <= 399) || code == 401 || code == 404 ||
                              (code >= 500 && code <= 503);
        CHECK(set.contains(code) == expected);
    }
    CHECK(set.text() == "2xx, 3xx, 401, 404, 500-503");
    CHECK(error.empty());
}

TEST_CASE("status set: the text reads back as the same set") {
    for (const auto* first : {"200", "100-999", "250-349", "299-400", "999", "9xx", "199-201"}) {
        StatusSet set;
        std::string error;
        REQUIRE(set.add(first, error));
        StatusSet again;
        auto text = set.text();
        for (std::size_t begin = 0; begin < text.size();) {
            const auto comma = std::min(text.find(", ", begin), text.size());
            CHECK(again.add(text.substr(begin, comma - begin), error));
            begin = comma + 2;
        }
        CAPTURE(text);
        CHECK(again == set);
    }
}

TEST_CASE("status set: what is none") {
    for (const std::string item : {"",
                                   "2",
                                   "20",
                                   "2000",
                                   "2x",
                                   "2xxx",
                                   "0xx",
                                   "xxx",
                                   "099",
                                   "1000",
                                   "ok",
                                   "200-",
                                   "-299",
                                   "200-2999",
                                   "200 - 299",
                                   " 200",
                                   "+20",
                                   "20x",
                                   "200,201"}) {
        StatusSet set;
        std::string error;
        CAPTURE(item);
        CHECK_FALSE(set.add(item, error));
        CHECK(set.empty());
        CHECK(error == '"' + std::string{item} +
                           "\" is no status: write a code (404), a range (\"200-299\") or a class "
                           "(\"2xx\")");
    }
    StatusSet set;
    std::string error;
    CHECK_FALSE(set.add("299-200", error));
    CHECK(error == "the range \"299-200\" runs backwards");
    for (const long long code : {-1LL, 0LL, 99LL, 1000LL, 1LL << 40}) {
        CHECK_FALSE(set.add(code, error));
        CHECK(error == std::to_string(code) + " is no status: codes run from 100 to 999");
    }
    CHECK(set.empty());
}

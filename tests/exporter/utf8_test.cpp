// Where characters end, in good text and in hostile bytes.
#include "exporter/utf8.hpp"

#include <doctest/doctest.h>

#include <string_view>

using sonde::exporter::repaired_utf8;
using sonde::exporter::utf8_length;

TEST_CASE("utf8: the length of the first character") {
    CHECK(utf8_length("") == 0);
    CHECK(utf8_length(std::string_view{"\0a", 2}) == 1);
    CHECK(utf8_length("az") == 1);
    CHECK(utf8_length("\xC2\x80z") == 2);
    CHECK(utf8_length("\xE0\xA0\x80z") == 3);
    CHECK(utf8_length("\xED\x9F\xBFz") == 3);
    CHECK(utf8_length("\xF4\x8F\xBF\xBFz") == 4);
}

TEST_CASE("utf8: what is ill-formed has none") {
    for (const std::string_view bad : {"\x80",
                                       "\xC3",
                                       "\xC3(",
                                       "\xC0\xAF",
                                       "\xE0\x9F\xBF",
                                       "\xED\xA0\x80",
                                       "\xE2\x82",
                                       "\xF0\x8F\xBF\xBF",
                                       "\xF4\x90\x80\x80",
                                       "\xF5\x80\x80\x80",
                                       "\xFF"}) {
        CAPTURE(bad);
        CHECK(utf8_length(bad) == 0);
    }
}

TEST_CASE("utf8: repair leaves good text as it is and replaces bad bytes one by one") {
    CHECK(repaired_utf8("") == "");
    CHECK(repaired_utf8("plain \xC3\xA9 \xF0\x9F\x98\x80") == "plain \xC3\xA9 \xF0\x9F\x98\x80");
    CHECK(repaired_utf8("caf\xE9") == "caf\xEF\xBF\xBD");
    CHECK(repaired_utf8("\xE2\x82\"") == "\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

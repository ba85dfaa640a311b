// JsonBody: good and bad bodies in every split, limits, and reuse.
#include "probes/wire/json_body.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using sonde::probes::wire::JsonBody;

namespace {

/// The value written out again, or the error.
std::string read(JsonBody& body,
                 std::string_view text,
                 std::size_t piece,
                 std::size_t limit = 1000) {
    body.start(limit);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        body.feed(text.substr(at, piece));
    }
    return body.finish() ? boost::json::serialize(body.value()) : body.error();
}

}  // namespace

TEST_CASE("json body: one outcome in every split") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"({"a": [1, -2.5, "x\u00e9", true, null], "b": {}})",
         "{\"a\":[1,-2.5E0,\"x\xc3\xa9\",true,null],\"b\":{}}"},
        {" 12 \n", "12"},
        {"9223372036854775807", "9223372036854775807"},
        {"18446744073709551615", "18446744073709551615"},
        {"null", "null"},
        {R"({"a": 1, "b": 2, "a": 3})", R"({"a":3,"b":2})"},
        {"", "not JSON: the body is empty"},
        {"  ", "not JSON: the body ends early at byte 2"},
        {"[1, 2", "not JSON: the body ends early at byte 5"},
        {"\"abc", "not JSON: the body ends early at byte 4"},
        {"1 2", "not JSON: extra data behind the value at byte 2"},
        {"{} x", "not JSON: extra data behind the value at byte 3"}};
    JsonBody body;
    for (const auto& item : cases) {
        const auto& text = item.first;
        for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
            CAPTURE(text);
            CAPTURE(piece);
            CHECK(read(body, text, piece) == item.second);
            CHECK_FALSE(body.too_large());
        }
    }
}

TEST_CASE("json body: what is none") {
    JsonBody body;
    for (const std::string text : {"[1,]",
                                   "{'a': 1}",
                                   "{\"a\" 1}",
                                   "nul",
                                   "01",
                                   "1.",
                                   "+1",
                                   "NaN",
                                   "\"\\x\"",
                                   "\"\x01\"",
                                   "\"\xff\"",
                                   "\"\xed\xa0\x80\"",
                                   "\"\\ud800\"",
                                   "<html>",
                                   "\xef\xbb\xbf{}",
                                   "[1] // no"}) {
        for (std::size_t piece = 1; piece <= text.size(); ++piece) {
            CAPTURE(text);
            CAPTURE(piece);
            const auto outcome = read(body, text, piece);
            CHECK(outcome.starts_with("not JSON: "));
            CHECK(outcome.find(" at byte ") != std::string::npos);
        }
    }
}

TEST_CASE("json body: depth and size have limits") {
    JsonBody body;
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(read(body, nested(JsonBody::max_depth), 7) == nested(JsonBody::max_depth));
    CHECK(read(body, nested(JsonBody::max_depth + 1), 7).starts_with("not JSON: too deep"));
    CHECK(read(body, std::string(900, '['), 7).starts_with("not JSON: too deep"));
    CHECK_FALSE(body.too_large());
    CHECK(read(body, "[1,2,3]", 2, 7) == "[1,2,3]");
    CHECK(read(body, "[1,2,3]", 2, 6) == "the body is over 6 bytes");
    CHECK(body.too_large());
    body.feed(std::string_view{"more"});
    CHECK_FALSE(body.finish());
    CHECK(body.error() == "the body is over 6 bytes");
    CHECK(read(body, "1", 1, 0) == "the body is over 0 bytes");
    CHECK(read(body, "[]", 2) == "[]");
    CHECK_FALSE(body.too_large());
}

TEST_CASE("json body: large and small bodies in turn, and a body cut off") {
    std::string large = "[";
    for (int item = 0; item < 40'000; ++item) {
        large += R"({"id":"x"},)";
    }
    large += "0]";
    JsonBody body;
    // Often enough to see memory that grows from one body to the next (Boost's arena did).
    for (int round = 0; round < 60; ++round) {
        body.start(1 << 20);
        body.feed(large);
        if (round % 3 != 0) {
            REQUIRE(body.finish());
            REQUIRE(body.value().get_array().size() == 40'001);
        }
        REQUIRE(read(body, R"({"a":"small"})", 5) == R"({"a":"small"})");
    }
    JsonBody moved = std::move(body);
    CHECK(boost::json::serialize(moved.value()) == R"({"a":"small"})");
}

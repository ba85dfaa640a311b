// JSON strings from hostile bytes, and numbers.
#include "exporter/web/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

using sonde::exporter::append_json;

namespace {

std::string json(std::string_view text) {
    std::string out;
    append_json(out, text);
    return out;
}

std::string json(double number) {
    std::string out;
    append_json(out, number);
    return out;
}

}  // namespace

TEST_CASE("JSON strings escape what ends them and what HTML would read") {
    CHECK(json("") == R"("")");
    CHECK(json("plain \xC3\xA9 \xF0\x9F\x98\x80") == "\"plain \xC3\xA9 \xF0\x9F\x98\x80\"");
    CHECK(json("a\"b\\c/d") == R"("a\"b\\c/d")");
    CHECK(json(std::string_view("\0\t\n\r\x1f\x7f", 6)) == R"("\u0000\u0009\n\u000d\u001f\u007f")");
    CHECK(json("</script><!--&") == R"("\u003c/script\u003e\u003c!--\u0026")");
    CHECK(json("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA") == "\"\\u2028\\u2029\xE2\x80\xAA\"");
}

TEST_CASE("JSON strings are valid UTF-8 whatever the bytes") {
    const std::string bad = "\xEF\xBF\xBD";
    CHECK(json("a\xFFz") == "\"a" + bad + "z\"");
    CHECK(json("\xC3") == "\"" + bad + "\"");                                // cut short
    CHECK(json("\xC0\xAF") == "\"" + bad + bad + "\"");                      // overlong
    CHECK(json("\xE0\x9F\xBF") == "\"" + bad + bad + bad + "\"");            // overlong
    CHECK(json("\xED\xA0\x80") == "\"" + bad + bad + bad + "\"");            // surrogate
    CHECK(json("\xF4\x90\x80\x80") == "\"" + bad + bad + bad + bad + "\"");  // past U+10FFFF
    CHECK(json("\xE2\x82(") == "\"" + bad + bad + "(\"");
    CHECK(json("\xED\x9F\xBF\xF4\x8F\xBF\xBF") == "\"\xED\x9F\xBF\xF4\x8F\xBF\xBF\"");
}

TEST_CASE("JSON numbers are short, exact and finite") {
    CHECK(json(0.0) == "0");
    CHECK(json(0.1) == "0.1");
    CHECK(json(-12.5) == "-12.5");
    CHECK(std::stod(json(1795503299.6815948)) == 1795503299.6815948);
    CHECK(json(std::numeric_limits<double>::quiet_NaN()) == "null");
    CHECK(json(std::numeric_limits<double>::infinity()) == "null");
}

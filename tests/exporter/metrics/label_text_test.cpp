#include "exporter/metrics/label_text.hpp"

#include "tests/exporter/metrics/store_fixture.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace sonde;  // NOLINT(google-build-using-namespace)

TEST_CASE("label_text: what is rendered can be parsed again") {
    const exporter::Labels odd = {
        {"a", ""}, {"b", "say \"hi\", \\ and\n=,}"}, {"c", "\xE2\x82\xAC"}};
    exporter::Job job = tests::make_job("shop", odd);
    exporter::Labels expected = odd;
    expected.insert(expected.begin(), {"target", "shop"});
    CHECK(exporter::parse_labels(exporter::render_target_labels(job)) == expected);

    job.module = std::make_shared<const std::string>("api");
    CHECK(exporter::render_info_labels(job) ==
          R"(,url="https://shop.example/",kind="http",module="api")");
    CHECK(exporter::parse_labels(exporter::render_info_labels(job)) ==
          exporter::Labels{{"url", "https://shop.example/"}, {"kind", "http"}, {"module", "api"}});
    CHECK(exporter::parse_labels("").empty());
}

TEST_CASE("label_text: canonical numbers for le") {
    const std::vector<std::pair<double, std::string>> cases = {
        {0, "0.0"},
        {1, "1.0"},
        {0.005, "0.005"},
        {2.5, "2.5"},
        {10, "10.0"},
        {100000, "100000.0"},
        {1000000, "1e+06"},
        {1234567, "1.234567e+06"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {1e10, "1e+10"},
        {-1, "-1.0"},
        {std::numeric_limits<double>::infinity(), "+Inf"}};
    for (const auto& [value, text] : cases) {
        CHECK(exporter::canonical_number(value) == text);
    }
}

TEST_CASE("label_text: what is not UTF-8 becomes U+FFFD") {
    const auto escaped = [](std::string_view raw) {
        std::string out;
        exporter::append_escaped(out, raw);
        return out;
    };
    const std::string bad = "\xEF\xBF\xBD";
    for (const std::string_view good :
         {"", "a", "\xC2\x80", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
        CHECK(escaped(good) == good);
    }
    CHECK(escaped("\xC3") == bad);                      // cut short
    CHECK(escaped("a\xE2\x82") == "a" + bad + bad);     // cut short
    CHECK(escaped("\xC0\xAF") == bad + bad);            // overlong
    CHECK(escaped("\xE0\x80\xAF") == bad + bad + bad);  // overlong
    CHECK(escaped("\xF0\x80\x80\xAF") == bad + bad + bad + bad);
    CHECK(escaped("\xED\xA0\x80") == bad + bad + bad);            // surrogate
    CHECK(escaped("\xF4\x90\x80\x80") == bad + bad + bad + bad);  // beyond U+10FFFF
    CHECK(escaped("\xF5x") == bad + "x");
    CHECK(escaped("\xC3(") == bad + "(");  // not continued
    CHECK(escaped("\xE2\x82(") == bad + bad + "(");
    CHECK(escaped("\xC3\xC3\xA4") == bad + "\xC3\xA4");
    CHECK(escaped("\x80") == bad);
    CHECK(escaped(std::string_view("\0", 1)) == bad);
}

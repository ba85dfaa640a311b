#include "config/duration.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using sonde::config::Bytes;
using sonde::config::Duration;
using sonde::config::format_bytes;
using sonde::config::format_duration;
using sonde::config::parse_bytes;
using sonde::config::parse_duration;

TEST_CASE("durations are read as people write them") {
    CHECK(parse_duration("500ms") == Duration{500ms});
    CHECK(parse_duration("1m30s") == Duration{90s});
    CHECK(parse_duration("2h") == Duration{2h});
    CHECK(parse_duration("1d") == Duration{24h});
    CHECK(parse_duration("1d2h3m4s5ms6us7ns") == Duration{26h + 3min + 4s + 5ms + 6us + 7ns});
    CHECK(parse_duration("0s") == Duration{0});
    CHECK(parse_duration("90m") == Duration{90min});
}

TEST_CASE("anything that is no duration is refused") {
    for (const std::string text : {"",
                                   "30",
                                   "s",
                                   "1.5s",
                                   "-1s",
                                   "+1s",
                                   " 1s",
                                   "1s ",
                                   "1 s",
                                   "1s30",
                                   "30s1m",
                                   "1m1m",
                                   "1S",
                                   "1min",
                                   "1w",
                                   "1mss",
                                   "9223372036854775808ns",
                                   "9223372036854775807s",
                                   "106751d9999h",
                                   "1s\n",
                                   "0x1s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text));
    }
}

TEST_CASE("a duration is written so that it is read back") {
    CHECK(format_duration(90s) == "1m30s");
    CHECK(format_duration(0s) == "0s");
    CHECK(format_duration(168h) == "7d");
    CHECK(format_duration(1500ms) == "1s500ms");
    for (const Duration duration :
         {Duration{1}, Duration{999'999'999}, Duration{86'400'000'000'001}}) {
        CHECK(parse_duration(format_duration(duration)) == duration);
    }
}

TEST_CASE("sizes are read with decimal and binary units") {
    CHECK(parse_bytes("65536") == Bytes{65536});
    CHECK(parse_bytes("1kB") == Bytes{1000});
    CHECK(parse_bytes("64MiB") == Bytes{std::uint64_t{64} << 20U});
    CHECK(parse_bytes("2GB") == Bytes{2'000'000'000});
    CHECK(parse_bytes("0B") == Bytes{0});
    for (const std::string text : {"",
                                   "MiB",
                                   "1 MiB",
                                   "1mb",
                                   "1.5MiB",
                                   "-1",
                                   "18446744073709551616",
                                   "18446744073709551615GiB"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_bytes(text));
    }
    CHECK(format_bytes({std::uint64_t{64} << 20U}) == "64MiB");
    CHECK(format_bytes({1000}) == "1000B");
    CHECK(format_bytes({0}) == "0B");
}

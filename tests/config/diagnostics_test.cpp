#include "config/diagnostics.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using sonde::config::Diagnostics;
using sonde::config::did_you_mean;

TEST_CASE("diagnostics are ordered by file and line, each once") {
    Diagnostics diagnostics;
    CHECK(diagnostics.ok());
    diagnostics.add({"b.toml", 2, "target.x.url", "late"});
    diagnostics.add({"a.toml", 10, "log.level", "ten"});
    diagnostics.add({"a.toml", 9, "log.level", "nine"});
    diagnostics.add({"a.toml", 10, "log.level", "ten"});
    diagnostics.add({"a.toml", 0, "", "whole file"});
    CHECK_FALSE(diagnostics.ok());
    CHECK(diagnostics.text() ==
          "a.toml: whole file\n"
          "a.toml:9: log.level: nine\n"
          "a.toml:10: log.level: ten\n"
          "b.toml:2: target.x.url: late\n");
}

TEST_CASE("the word that was meant is the nearest one, if it is near") {
    constexpr std::array<std::string_view, 4> known{
        "interval", "timeout", "url", "insecure_skip_verify"};
    CHECK(did_you_mean("intervall", known) == R"(did you mean "interval"?)");
    CHECK(did_you_mean("intreval", known) == R"(did you mean "interval"?)");
    CHECK(did_you_mean("timout", known) == R"(did you mean "timeout"?)");
    CHECK(did_you_mean("insecure_skip_verfication", known) ==
          R"(did you mean "insecure_skip_verify"?)");
    CHECK(did_you_mean("uri", known) == R"(did you mean "url"?)");
    CHECK(did_you_mean("colour", known).empty());
    CHECK(did_you_mean("xyz", known).empty());
    CHECK(did_you_mean("", known).empty());
    CHECK(did_you_mean(std::string(100'000, 'x'), known).empty());
    CHECK(did_you_mean("interval", {}).empty());
}

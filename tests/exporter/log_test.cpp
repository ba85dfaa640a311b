#include "exporter/log.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace sonde::exporter;

TEST_CASE("logfmt: bare words stay bare, everything else is quoted and escaped") {
    CHECK(log::line(log::Format::logfmt, "T", "info", "ready", {{"targets", "2"}}) ==
          "ts=T level=info msg=ready targets=2");
    CHECK(log::line(log::Format::logfmt, "T", "warn", "target failed", {{"detail", "a=\"b\"\\"}}) ==
          "ts=T level=warn msg=\"target failed\" detail=\"a=\\\"b\\\"\\\\\"");
    CHECK(log::line(log::Format::logfmt, "T", "info", "m", {{"empty", ""}}) ==
          "ts=T level=info msg=m empty=\"\"");
}

TEST_CASE("logfmt: what a server sent can neither end a line nor move a terminal's cursor") {
    CHECK(log::line(log::Format::logfmt, "T", "info", "m", {{"detail", "x\nlevel=error"}}) ==
          "ts=T level=info msg=m detail=\"x\\nlevel=error\"");
    CHECK(log::line(log::Format::logfmt, "T", "info", "m", {{"detail", "\x1b[2J"}}) ==
          "ts=T level=info msg=m detail=\"\\u001b[2J\"");
}

TEST_CASE("json: one valid object whatever the bytes are") {
    const std::string line =
        log::line(log::Format::json, "T", "error", "m \"q\"", {{"detail", "a\n\x01\xff<"}});
    CHECK(line.find('\n') == std::string::npos);
    const boost::json::object read = boost::json::parse(line).as_object();
    CHECK(read.at("ts") == "T");
    CHECK(read.at("level") == "error");
    CHECK(read.at("msg") == "m \"q\"");
    CHECK(read.at("detail") == "a\n\x01\xef\xbf\xbd<");
}

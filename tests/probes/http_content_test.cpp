// What is taken out of a whole answer: JSON expectations, extraction, the body's hash.
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

ProbeResult check(const std::string& body,
                  const std::string& settings,
                  const std::string& fields = "",
                  Trace* trace = nullptr) {
    ScriptedServer server({answer(response(body, fields))});
    return check_site(server.url(), {.settings = settings, .trace = trace});
}

double value(const ProbeResult& result, std::string_view name) {
    return labelled(result, Family::extracted_value, name);
}

std::string info(const ProbeResult& result, std::string_view name) {
    for (const LabelledReading& reading : result.labelled) {
        if (reading.family == Family::extracted_info && reading.labels->front() == name) {
            return reading.labels->back();
        }
    }
    return "(none)";
}

const std::string health = R"({"status": "ok", "queue": {"depth": 17, "names": ["a", "b"]}})";

}  // namespace

TEST_CASE("JSON expressions that hold, do not hold, or cannot be judged") {
    struct Case {
        std::string body;
        std::string expression;
        std::string detail;  // empty: met
    };

    const std::vector<Case> cases{
        {health, "body.status == 'ok' && size(body.queue.names) == 2", ""},
        {health, "body.queue.depth < 10", "it is false, expected to be true"},
        {health, "body.nothing == 1", "no such key"},
        {health, "body.queue.depth", "it is no bool"},
        {"<html>", "has(body.x)", "not JSON"},
        {"", "has(body.x)", "JSON"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.expression);
        const ProbeResult result = check(
            each.body,
            "expect_json = { name = \"health\", expression = \"" + each.expression + "\" }\n");
        CHECK(labelled(result, Family::expectation_met, "health") == (each.detail.empty() ? 1 : 0));
        CHECK(result.failure ==
              (each.detail.empty() ? Failure::none : Failure::unexpected_content));
        CHECK(mentions(result.detail, {each.detail}));
    }
    const ProbeResult negated = check(
        health, "expect_json = { expression = \"body.queue.depth > 100\", expect = \"false\" }\n");
    CHECK(negated.success());
    CHECK(labelled(negated, Family::expectation_met, "body.queue.depth > 100") == 1);
}

TEST_CASE("all expressions are judged, the first that fails is the reason") {
    const ProbeResult result = check(
        health,
        "expect_json = [\"body.status == 'down'\", \"body.queue.depth == 17\", \"body.x\"]\n");
    CHECK(labelled(result, Family::expectation_met, "body.status == 'down'") == 0);
    CHECK(labelled(result, Family::expectation_met, "body.queue.depth == 17") == 1);
    CHECK(labelled(result, Family::expectation_met, "body.x") == 0);
    CHECK(mentions(result.detail, {"body.status == 'down'"}));
}

TEST_CASE("numbers and texts are taken from JSON, the body and header fields in one pass") {
    Trace trace;
    const ProbeResult result = check(
        health,
        "extract = [\n"
        "  { name = \"depth\", json = \"body.queue.depth\" },\n"
        "  { name = \"double\", json = \"body.queue.depth * 2\" },\n"
        "  { name = \"status\", json = \"body.status\", as = \"info\" },\n"
        "  { regex = '\"depth\": (?P<by_regex>[0-9]+), \"(?P<word>[a-z]+)\"' },\n"
        "  { name = \"first\", regex = '\"status\": \"([a-z]+)\"', as = \"info\" },\n"
        "  { name = \"whole\", regex = 'queue', as = \"info\" },\n"
        "  { name = \"age\", header = \"Age\" },\n"
        "  { name = \"version\", header = \"X-Version\", regex = '^v([0-9]+)', as = \"info\" },\n"
        "  { header = \"X-Version\", as = \"info\" },\n"
        "  { name = \"absent\", header = \"X-Absent\" },\n"
        "  { name = \"no_number\", json = \"body.status\" },\n"
        "  { name = \"no_key\", json = \"body.nothing\" },\n"
        "]\n",
        "Age: 12\r\nX-Version: v31.2\r\n",
        &trace);
    CHECK(result.success());
    CHECK(value(result, "depth") == 17);
    CHECK(value(result, "double") == 34);
    CHECK(info(result, "status") == "ok");
    CHECK(value(result, "by_regex") == 17);
    CHECK(value(result, "word") == -1);  // no number
    CHECK(info(result, "first") == "ok");
    CHECK(info(result, "whole") == "queue");
    CHECK(value(result, "age") == 12);
    CHECK(info(result, "version") == "31");
    CHECK(info(result, "X-Version") == "v31.2");
    for (const char* const name : {"absent", "no_number", "no_key"}) {
        CHECK(value(result, name) == -1);
    }
    CHECK(trace.extracted.front().first == "depth");
}

TEST_CASE("texts are cut, numbers are whole and finite") {
    const std::string take = "extract = { name = \"x\", regex = 'x=([^;]*);'";
    const ProbeResult cut =
        check("x=" + std::string(127, 'a') + "\xc3\xa4tail;", take + ", as = \"info\" }\n");
    CHECK(info(cut, "x") == std::string(127, 'a'));
    for (const auto& [text, expected] : std::vector<std::pair<std::string, double>>{{"1.5e3", 1500},
                                                                                    {" +7 ", 7},
                                                                                    {"-2", -2},
                                                                                    {"12 ms", -1},
                                                                                    {"nan", -1},
                                                                                    {"1e999", -1},
                                                                                    {"", -1},
                                                                                    {"0x10", -1}}) {
        CAPTURE(text);
        const ProbeResult result = check("x=" + text + ";", take + " }\n");
        CHECK(value(result, "x") == expected);
    }
}

TEST_CASE("a body beyond max_extract_body fails where something is to be taken from it") {
    const std::string settings = "max_extract_body = 100\n";
    const std::string body = "[" + std::string(200, ' ') + "]";
    const ProbeResult json = check(body, settings + "expect_json = \"size(body) == 0\"\n");
    CHECK(json.failure == Failure::body_too_large);
    CHECK(labelled(json, Family::expectation_met, "size(body) == 0") == -1);
    CHECK(check(body, settings + "extract = { name = \"x\", regex = \"x\" }\n").failure ==
          Failure::body_too_large);
    CHECK(check(body, settings + "extract = { name = \"x\", header = \"x\" }\n").success());
    CHECK(check(body, "expect_json = \"size(body) == 0\"\n").success());
}

TEST_CASE("JSON is read from a compressed body, and to its end") {
    ScriptedServer server({answer(response(gzip(health), "Content-Encoding: gzip\r\n"))});
    CHECK(check_site(server.url(),
                     {.settings = "expect_json = \"body.status == 'ok'\"\n"
                                  "read = \"until_decided\"\nregex = \"stat\"\n"})
              .success());
}

TEST_CASE("a failed status does not hide what the body says") {
    ScriptedServer server({answer(response(health, "", "503 Service Unavailable"))});
    const ProbeResult result =
        check_site(server.url(),
                   {.settings = "extract = { name = \"depth\", json = \"body.queue.depth\" }\n"});
    CHECK(result.failure == Failure::unexpected_status);
    CHECK(value(result, "depth") == 17);
}

TEST_CASE("the hash of the decoded body, and whether to compare it") {
    const std::string hello_hash =
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    const ProbeResult plain = check("hello", "body_sha256 = true\n");
    CHECK(labels_of(plain, Family::http_body_sha256) == std::vector<std::string>{hello_hash});
    CHECK_FALSE(plain.body_digest.has_value());
    ScriptedServer server({answer(response(gzip("hello"), "Content-Encoding: gzip\r\n"))});
    const ProbeResult both =
        check_site(server.url(), {.settings = "body_sha256 = true\nbody_changed = true\n"});
    CHECK(labels_of(both, Family::http_body_sha256) == std::vector<std::string>{hello_hash});
    CHECK(both.body_digest == sha256("hello"));
    const ProbeResult neither = check("hello", "");
    CHECK(labels_of(neither, Family::http_body_sha256).empty());
}

// `sonde probe`: what a hostile server sends reaches no terminal and no JSON parser as it is.
#include "exporter/probe_report.hpp"

#include "exporter/utf8.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace sonde;  // NOLINT(google-build-using-namespace)

namespace {

struct Report {
    exporter::Runner::Outcome outcome;
    probes::Trace trace;

    explicit Report(const std::string& sent) {
        outcome.result.failure = probes::Failure::protocol_error;
        outcome.result.detail = sent;
        probes::TraceHop& hop = trace.hops.emplace_back();
        hop.url = "http://a.test/";
        hop.status = 200;
        hop.headers.emplace_back("Server", sent);
        trace.expectations.push_back({"pattern", false, sent});
    }

    [[nodiscard]] exporter::ProbeReport get() const {
        return {"http://a.test/", "http", outcome, trace};
    }
};

std::string text_of(const std::string& sent) {
    return exporter::report_text(Report{sent}.get(), false);
}

}  // namespace

TEST_CASE("probe report: JSON is valid UTF-8 whatever bytes the server sent") {
    const std::string latin1 = "caf\xE9 \"\xC3";
    const std::string json = exporter::report_json(Report{latin1}.get());
    CHECK(exporter::repaired_utf8(json) == json);
    const auto report = boost::json::parse(json);
    const std::string repaired = "caf\xEF\xBF\xBD \"\xEF\xBF\xBD";
    const auto& headers = report.at("hops").at(0).at("headers");
    CHECK(headers.at(0).at("value").as_string() == repaired);
    CHECK(report.at("detail").as_string() == repaired);
}

TEST_CASE("probe report: JSON keeps good UTF-8") {
    const std::string good = "caf\xC3\xA9 \xE2\x82\xAC";
    const auto report = boost::json::parse(exporter::report_json(Report{good}.get()));
    CHECK(report.at("detail").as_string() == good);
}

TEST_CASE("probe report: the terminal gets no control character, of C0 or of C1, and no raw byte") {
    CHECK(text_of("a\x1b[2J\x7f\n").find("a\\x1b[2J\\x7f\\x0a") != std::string::npos);
    CHECK(text_of("a\xC2\x9B"
                  "2Jz")
              .find("a\\xc2\\x9b2Jz") != std::string::npos);
    CHECK(text_of("a\x9Bz\xC2").find("a\\x9bz\\xc2") != std::string::npos);
    // U+00A0 and beyond are letters and signs.
    CHECK(text_of("\xC2\xA0\xC3\xA9\xE2\x82\xAC").find("\xC2\xA0\xC3\xA9\xE2\x82\xAC") !=
          std::string::npos);
}

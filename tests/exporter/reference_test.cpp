#include "exporter/reference.hpp"

#include "tests/exporter/plan/fake_kinds.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

using namespace sonde::exporter;

namespace {

std::string documented(const std::string& name) {
    std::ifstream in{std::string{SONDE_SOURCE_DIR} + "/docs/" + name};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

}  // namespace

TEST_CASE("docs/config.md and docs/metrics.md are what the code says") {
    const bool config_is_current =
        documented("config.md") == config_reference(sonde::probes::kinds());
    CHECK_MESSAGE(config_is_current, "run: cmake --build --preset dev --target docs");
    const bool metrics_is_current =
        documented("metrics.md") ==
        metrics_reference(sonde::probes::families(), self_metric_docs());
    CHECK_MESSAGE(metrics_is_current, "run: cmake --build --preset dev --target docs");
}

TEST_CASE("the config reference has every table, the common keys and each kind's") {
    const std::string text = config_reference(test::fake_kinds());
    for (const std::string_view line :
         {"## `[server]`",
          "## `[engine]`",
          "## `[log]`",
          "## `[metrics]`",
          "| `targets_dir` | string |  | A directory, relative to this file:",
          "| `level` | one of \"trace\", \"debug\", \"info\", \"warn\", \"error\" | `\"info\"` |",
          "| `interval` | duration, 100ms to 7d | `\"30s\"` |",
          "| `url` | string or secret |",
          "### Kind `http`\n\nWeb pages. Chosen by the url schemes `http` `https`.",
          "| `tls.ca_file` | path of a file, or secret |",
          "| `headers` | table of strings or secrets |",
          "### Kind `ask`"}) {
        CAPTURE(line);
        CHECK(text.find(line) != std::string::npos);
    }
    CHECK(text.ends_with("|\n"));
}

TEST_CASE("the metrics reference has every family and marks the extra ones") {
    static constexpr std::array<std::string_view, 2> labels{"a", "b"};
    const std::array<sonde::probes::FamilyInfo, 2> families{{
        {sonde::probes::Family::success,
         "probe_x_total",
         sonde::probes::MetricType::counter,
         "",
         "Help | more.",
         labels,
         false},
        {sonde::probes::Family::rtt,
         "probe_y_seconds",
         sonde::probes::MetricType::histogram,
         "seconds",
         "Y.",
         {},
         true},
    }};
    const std::array<SelfMetricDoc, 1> own{{{"sonde_z", "gauge", "worker", "Z."}}};
    const std::string text = metrics_reference(families, own);
    CHECK(text.find("| `probe_x_total` | counter | `a` `b` |  | default | Help \\| more. |\n") !=
          std::string::npos);
    CHECK(text.find("| `probe_y_seconds` | histogram |  | seconds | *extra* | Y. |\n") !=
          std::string::npos);
    CHECK(text.ends_with("| `sonde_z` | gauge | `worker` | Z. |\n"));
}

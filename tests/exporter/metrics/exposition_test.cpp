#include "exporter/metrics/exposition.hpp"

#include "exporter/metrics/label_text.hpp"
#include "exporter/metrics/self_metrics.hpp"

#include "tests/exporter/metrics/store_fixture.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <prometheus/metric_family.h>

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <sstream>
#include <string>

using namespace sonde;         // NOLINT(google-build-using-namespace)
using namespace sonde::tests;  // NOLINT(google-build-using-namespace)
using exporter::ExpositionFormat;
using exporter::MetricStore;

namespace {

using Collectables = std::vector<std::shared_ptr<prometheus::Collectable>>;

std::string expose(ExpositionFormat format,
                   const MetricStore& store,
                   Collectables self = {},
                   MetricStore::Selection selection = {}) {
    const auto body =
        exporter::make_exposition(format, store, std::move(self), std::move(selection));
    std::string out;
    while (body->next(out)) {
    }
    return out;
}

struct Canned final : prometheus::Collectable {
    explicit Canned(std::vector<prometheus::MetricFamily> canned) : families(std::move(canned)) {}

    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
        return families;
    }

    std::vector<prometheus::MetricFamily> families;
};

std::string expose(ExpositionFormat format, const prometheus::MetricFamily& family) {
    const MetricStore store({1}, {});
    return expose(format, store, {std::make_shared<Canned>(std::vector{family})});
}

prometheus::MetricFamily gauge(std::string help, std::vector<double> values) {
    prometheus::MetricFamily family{
        "g_seconds", std::move(help), prometheus::MetricType::Gauge, {}};
    for (const double value : values) {
        family.metric.emplace_back().gauge.value = value;
    }
    return family;
}

// A store and the program's own metrics with everything in them that there can be.
struct Everything {
    Everything() {
        const auto shop =
            store.add(make_job("shop", {{"quote", "a \"b\" \\ \n c"}, {"team", "web"}}));
        store.record(shop, unix_time(1'700'000'000'123), https_result());
        auto bad = https_result();
        bad.failure = probes::Failure::unexpected_content;
        bad.readings.set(probes::Measurement::failed_due_to_regex, 1.0);
        bad.labelled.push_back(
            labelled(probes::Family::regex_match, {"W\xC3\xA4r\xFF\\d+\"\n"}, 0));
        bad.labelled.push_back(
            labelled(probes::Family::expectation_met, {std::string("nul\0", 4)}, 0));
        const auto broken = store.add(make_job("broken"));
        store.record(broken, unix_time(1'700'000'001'000), bad);
        store.skip(broken, exporter::SkipReason::overrun);
        store.add(make_job("idle"));
        metrics.set_targets({{"http", 3}});
        metrics.observe_start_lag(std::chrono::microseconds{150});
        metrics.set_worker_busy(0, 0.25);
        metrics.config_loaded(unix_time(1'700'000'000'000));
        metrics.scrape_finished(std::chrono::milliseconds{3});
    }

    [[nodiscard]] std::string text(ExpositionFormat format) const {
        return expose(
            format, store, {metrics.collectable(), std::make_shared<exporter::ProcessCollector>()});
    }

    MetricStore store{default_buckets(), all_extras()};
    exporter::SelfMetrics metrics{"1.2.3", 2};
};

struct Outcome {
    int status;
    std::string output;  // of both streams
};

// Runs a tool with a file as its input.
Outcome run_with_input(const std::string& command, const std::string& input) {
    const TempDir dir;
    const auto file = dir.write("metrics.txt", input);
    const std::string line = command + " < '" + file.string() + "' 2>&1";
    FILE* const pipe = popen(line.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
        output += static_cast<char>(c);
    }
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

std::vector<std::string> sample_lines(const std::string& text) {
    std::vector<std::string> found;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with('#')) {
            found.push_back(line);
        }
    }
    return found;
}

}  // namespace

TEST_CASE("exposition: text format 0.0.4 of a new target") {
    MetricStore store({0.1, 1}, {});
    store.add(make_job("a"));
    const std::string text =
        expose(ExpositionFormat::text, store, {}, {{"probe_rtt_seconds", "probe_checks_total"}});
    const std::string help{probes::info(probes::Family::rtt).help};
    const std::string checks_help{probes::info(probes::Family::checks_total).help};
    CHECK(text == "# HELP probe_rtt_seconds " + help +
                      "\n"
                      "# TYPE probe_rtt_seconds histogram\n"
                      "probe_rtt_seconds_bucket{target=\"a\",le=\"0.1\"} 0\n"
                      "probe_rtt_seconds_bucket{target=\"a\",le=\"1.0\"} 0\n"
                      "probe_rtt_seconds_bucket{target=\"a\",le=\"+Inf\"} 0\n"
                      "probe_rtt_seconds_sum{target=\"a\"} 0\n"
                      "probe_rtt_seconds_count{target=\"a\"} 0\n"
                      "# HELP probe_checks_total " +
                      checks_help +
                      "\n"
                      "# TYPE probe_checks_total counter\n"
                      "probe_checks_total{target=\"a\",result=\"success\"} 0\n"
                      "probe_checks_total{target=\"a\",result=\"failure\"} 0\n");
}

TEST_CASE("exposition: OpenMetrics names counters without _total, has units and an end") {
    MetricStore store({0.1}, {});
    store.add(make_job("a"));
    const std::string text = expose(ExpositionFormat::openmetrics,
                                    store,
                                    {},
                                    {{"probe_interval_seconds", "probe_checks_total"}});
    CHECK(text.find("# TYPE probe_checks counter\n") != std::string::npos);
    CHECK(text.find("# HELP probe_checks Finished") != std::string::npos);
    CHECK(text.find("\nprobe_checks_total{target=\"a\",result=\"success\"} 0\n") !=
          std::string::npos);
    CHECK(text.find("# UNIT probe_interval_seconds seconds\n") != std::string::npos);
    CHECK(text.find("# UNIT probe_checks") == std::string::npos);
    CHECK(text.ends_with("\n# EOF\n"));
    CHECK(expose(ExpositionFormat::openmetrics, MetricStore({1}, {})) == "# EOF\n");
    CHECK(expose(ExpositionFormat::text, MetricStore({1}, {})).empty());
}

TEST_CASE("exposition: both formats have the same samples, letter for letter") {
    const Everything everything;
    auto text = sample_lines(everything.text(ExpositionFormat::text));
    auto openmetrics = sample_lines(everything.text(ExpositionFormat::openmetrics));
    // CPU and memory move between two scrapes.
    const auto moves = [](const std::string& line) {
        return line.starts_with("process_");
    };
    std::erase_if(text, moves);
    std::erase_if(openmetrics, moves);
    CHECK(text.size() > 100);
    CHECK(text == openmetrics);
}

TEST_CASE("exposition: promtool has nothing to say about the text format") {
    const std::string text = Everything().text(ExpositionFormat::text);
    REQUIRE(sample_lines(text).size() > 100);
    const Outcome outcome = run_with_input("promtool check metrics", text);
    CHECK(outcome.output.empty());
    CHECK(outcome.status == 0);
    // And it would have: a counter without _total.
    CHECK(run_with_input("promtool check metrics", "# HELP a b\n# TYPE a counter\na 1\n").status !=
          0);
}

TEST_CASE("exposition: a strict OpenMetrics parser reads every sample") {
    const std::string text = Everything().text(ExpositionFormat::openmetrics);
    const std::string script =
        "import sys; from prometheus_client.openmetrics.parser import "
        "text_string_to_metric_families as p; "
        "print(sum(len(f.samples) for f in p(sys.stdin.read())))";
    const Outcome outcome = run_with_input("/usr/bin/python3 -c '" + script + "'", text);
    CHECK(outcome.output == std::to_string(sample_lines(text).size()) + "\n");
    CHECK(outcome.status == 0);
}

TEST_CASE("exposition: label values are escaped and made valid UTF-8") {
    const std::string text = Everything().text(ExpositionFormat::text);
    CHECK(text.find(R"(probe_success{target="shop",quote="a \"b\" \\ \n c",team="web"} 1)") !=
          std::string::npos);
    CHECK(text.find("regex=\"W\xC3\xA4r\xEF\xBF\xBD\\\\d+\\\"\\n\"} 0") != std::string::npos);
    CHECK(text.find("name=\"nul\xEF\xBF\xBD\"} 0") != std::string::npos);
}

TEST_CASE("exposition: HELP is escaped as each format wants it") {
    const auto family = gauge("a \\ \"b\"\nc", {1});
    CHECK(
        expose(ExpositionFormat::text, family).starts_with("# HELP g_seconds a \\\\ \"b\"\\nc\n"));
    CHECK(expose(ExpositionFormat::openmetrics, family)
              .starts_with("# HELP g_seconds a \\\\ \\\"b\\\"\\nc\n"));
}

TEST_CASE("exposition: numbers") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto family = gauge("x",
                              {0,
                               -0.0,
                               1,
                               -2,
                               0.1,
                               1.5e-7,
                               1'700'000'000.125,
                               1e15,
                               1e300,
                               9007199254740993.0,
                               std::numeric_limits<double>::quiet_NaN(),
                               infinity,
                               -infinity});
    CHECK(sample_lines(expose(ExpositionFormat::text, family)) ==
          std::vector<std::string>{"g_seconds 0",
                                   "g_seconds 0",
                                   "g_seconds 1",
                                   "g_seconds -2",
                                   "g_seconds 0.1",
                                   "g_seconds 1.5e-07",
                                   "g_seconds 1700000000.125",
                                   "g_seconds 1000000000000000",
                                   "g_seconds 1e+300",
                                   "g_seconds 9007199254740992",
                                   "g_seconds NaN",
                                   "g_seconds +Inf",
                                   "g_seconds -Inf"});
}

TEST_CASE("exposition: every type of prometheus-cpp") {
    using prometheus::MetricType;
    prometheus::MetricFamily counter{"c_total", "x", MetricType::Counter, {}};
    counter.metric.emplace_back().counter.value = 3;
    counter.metric.back().label = {{"a", "b"}};
    counter.metric.back().timestamp_ms = 1500;
    CHECK(expose(ExpositionFormat::text, counter) ==
          "# HELP c_total x\n# TYPE c_total counter\nc_total{a=\"b\"} 3 1500\n");
    CHECK(expose(ExpositionFormat::openmetrics, counter) ==
          "# HELP c x\n# TYPE c counter\nc_total{a=\"b\"} 3 1.5\n# EOF\n");

    prometheus::MetricFamily untyped{"u", "x", MetricType::Untyped, {}};
    untyped.metric.emplace_back().untyped.value = 4;
    CHECK(expose(ExpositionFormat::text, untyped) == "# HELP u x\n# TYPE u untyped\nu 4\n");
    CHECK(expose(ExpositionFormat::openmetrics, untyped) ==
          "# HELP u x\n# TYPE u unknown\nu 4\n# EOF\n");

    prometheus::MetricFamily summary{"s", "x", MetricType::Summary, {}};
    summary.metric.emplace_back().summary = {2, 5.5, {{0.5, 1}, {1, 4.5}}};
    CHECK(
        expose(ExpositionFormat::text, summary) ==
        "# HELP s x\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"1.0\"} 4.5\ns_sum 5.5\n"
        "s_count 2\n");

    prometheus::MetricFamily histogram{"h", "x", MetricType::Histogram, {}};
    histogram.metric.emplace_back().histogram = {2, 5.5, {{1, 1}}};
    CHECK(expose(ExpositionFormat::text, histogram) ==
          "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
          "h_sum 5.5\nh_count 2\n");

    const prometheus::MetricFamily empty{"e", "x", MetricType::Gauge, {}};
    CHECK(expose(ExpositionFormat::text, empty).empty());
}

TEST_CASE("exposition: a selection holds for the program's own metrics too") {
    const Everything everything;
    const std::string text = expose(ExpositionFormat::text,
                                    everything.store,
                                    {everything.metrics.collectable()},
                                    {{"sonde_build_info", "probe_success"}});
    CHECK(sample_lines(text) ==
          std::vector<std::string>{
              R"(probe_success{target="shop",quote="a \"b\" \\ \n c",team="web"} 1)",
              R"(probe_success{target="broken"} 0)",
              R"(sonde_build_info{version="1.2.3"} 1)"});
}

TEST_CASE("exposition: a large answer comes in pieces, and says no more after its end") {
    MetricStore store(default_buckets(), {});
    for (int i = 0; i < 3000; ++i) {
        store.record(
            store.add(make_job("target-" + std::to_string(i))), unix_time(1), https_result());
    }
    const auto body = exporter::make_exposition(ExpositionFormat::openmetrics, store, {}, {});
    std::string all;
    constexpr std::size_t kib = 1024;
    std::string piece;
    std::size_t pieces = 0;
    for (bool more = true; more; ++pieces) {
        piece.clear();
        more = body->next(piece);
        CHECK(piece.size() < 256 * kib);
        CHECK((!more || piece.size() >= 64 * kib));
        all += piece;
    }
    CHECK(pieces > 50);
    CHECK(sample_lines(all).size() == 3000 * 41);
    CHECK(all.ends_with("# EOF\n"));
    piece.clear();
    CHECK_FALSE(body->next(piece));
    CHECK(piece.empty());
}

TEST_CASE("exposition: the Accept header chooses the format") {
    const auto is_openmetrics = [](std::string_view accept) {
        return exporter::negotiate_exposition(accept) == ExpositionFormat::openmetrics;
    };
    for (const std::string_view accept :
         {"application/openmetrics-text;version=1.0.0,application/"
          "openmetrics-text;version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/"
          "plain;version=0.0.4;q=0.3,*/*;q=0.2",
          "application/openmetrics-text",
          "application/openmetrics-text, */*",
          "Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.9 , text/plain;q=0.8",
          "application/openmetrics-text;q=0.2, text/plain;q=0",
          "text/*;q=0.1, application/*;q=0.2"}) {
        CAPTURE(accept);
        CHECK(is_openmetrics(accept));
    }
    for (const std::string_view accept :
         {"",
          "*/*",
          "text/plain",
          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
          "application/openmetrics-text;version=0.0.1",
          "application/openmetrics-text;version=2.0.0,text/plain;q=0.1",
          "application/openmetrics-text;q=0.3,text/plain;version=0.0.4;q=0.6",
          "application/openmetrics-text;q=0",
          "application/openmetrics-text;q=nonsense",
          "application/openmetrics-text;q=0.5, */*;q=0.9",
          "application/json",
          ",;,=;q",
          ";"}) {
        CAPTURE(accept);
        CHECK_FALSE(is_openmetrics(accept));
    }
    CHECK(exporter::content_type(ExpositionFormat::text) ==
          "text/plain; version=0.0.4; charset=utf-8");
    CHECK(exporter::content_type(ExpositionFormat::openmetrics) ==
          "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

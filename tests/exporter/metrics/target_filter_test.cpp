#include "exporter/metrics/target_filter.hpp"

#include "exporter/metrics/label_text.hpp"

#include "tests/exporter/metrics/store_fixture.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace sonde;         // NOLINT(google-build-using-namespace)
using namespace sonde::tests;  // NOLINT(google-build-using-namespace)
using exporter::MetricStore;
using exporter::TargetFilter;

namespace {

bool wants(const std::string& selector, const exporter::Labels& labels) {
    TargetFilter filter;
    std::string error;
    REQUIRE(filter.add_selector(selector, error));
    return filter.wants(exporter::render_target_labels(make_job("shop", labels)));
}

std::string error_of(const std::string& selector) {
    TargetFilter filter;
    std::string error;
    CHECK_FALSE(filter.add_selector(selector, error));
    CHECK(filter.wants_all());
    return error;
}

}  // namespace

TEST_CASE("target filter: the shards are disjoint and together everything") {
    std::size_t all = 0;
    for (const std::string part : {"1/4", "2/4", "3/4", "4/4"}) {
        TargetFilter filter;
        std::string error;
        REQUIRE(filter.add_shard(part, error));
        CHECK(filter.wants_the_program() == (part == "1/4"));
        std::size_t count = 0;
        for (int i = 0; i < 4000; ++i) {
            count +=
                filter.wants(exporter::render_target_labels(make_job("site-" + std::to_string(i))))
                    ? 1U
                    : 0U;
        }
        CHECK(count > 900);
        CHECK(count < 1100);
        all += count;
    }
    CHECK(all == 4000);
}

TEST_CASE("target filter: what is no shard") {
    for (const std::string text : {"", "3", "0/8", "9/8", "1/0", "-1/8", "1/8/2", "a/b", "1/ 8"}) {
        CAPTURE(text);
        TargetFilter filter;
        std::string error;
        CHECK_FALSE(filter.add_shard(text, error));
        CHECK(error.starts_with("shard must be like 3/8"));
    }
}

TEST_CASE("target filter: selectors mean what they mean in PromQL") {
    const exporter::Labels labels = {{"env", "prod"}, {"team", "we\"b\n"}};
    CHECK(wants(R"({env="prod"})", labels));
    CHECK(wants(R"( { env = 'prod' , target=~"sh.p", } )", labels));
    CHECK(wants(R"({team="we\"b\n"})", labels));
    CHECK_FALSE(wants(R"({env!="prod"})", labels));
    CHECK_FALSE(wants(R"({env=~"pro"})", labels));  // anchored
    CHECK(wants(R"({env!~"pro"})", labels));
    CHECK(wants(R"({absent=""})", labels));
    CHECK(wants(R"({absent!="x"})", labels));
    CHECK_FALSE(wants(R"({env="prod",target="other"})", labels));

    TargetFilter either;
    std::string error;
    REQUIRE(either.add_selector(R"({target="shop"})", error));
    REQUIRE(either.add_selector(R"({target="blog"})", error));
    CHECK_FALSE(either.wants_the_program());
    CHECK(either.wants(exporter::render_target_labels(make_job("blog"))));
    CHECK_FALSE(either.wants(exporter::render_target_labels(make_job("mail"))));
}

TEST_CASE("target filter: what is no selector is said") {
    CHECK(error_of("probe_success").find("collect[]") != std::string::npos);
    CHECK(error_of("{}").find("empty selector") != std::string::npos);
    CHECK(error_of("{env}").find("must follow env") != std::string::npos);
    CHECK(error_of("{env=prod}").find("in quotes") != std::string::npos);
    CHECK(error_of(R"({env="prod)").find("in quotes") != std::string::npos);
    CHECK(error_of(R"({env="prod" team="x"})").find("comma") != std::string::npos);
    CHECK(error_of(R"({env="prod"} or)").find("nothing may follow") != std::string::npos);
    CHECK(error_of(R"({env=~"("})").find("missing )") != std::string::npos);
    CHECK(error_of(R"({="x"})").find("name is missing") != std::string::npos);
}

TEST_CASE("target filter: a walk shows the chosen targets in every family, over many pages") {
    MetricStore store({1}, {});
    for (int i = 0; i < 300; ++i) {
        const auto id =
            store.add(make_job("t" + std::to_string(i), {{"team", i % 3 == 0 ? "web" : "mail"}}));
        store.record(id, unix_time(1000), success(std::chrono::milliseconds{5}));
    }
    MetricStore::Selection selection;
    std::string error;
    REQUIRE(selection.targets.add_selector(R"({team="web"})", error));
    MetricStore::Cursor cursor(store, selection);
    std::map<std::string, std::size_t> samples;
    while (cursor.next()) {
        for (const auto& sample : cursor.samples()) {
            ++samples[std::string{sample.name}];
            CHECK(sample.labels.find(R"(team="web")") != std::string_view::npos);
        }
    }
    CHECK(samples["probe_success"] == 100);
    CHECK(samples["probe_rtt_seconds_count"] == 100);
    CHECK(samples["probe_target_info"] == 100);
}

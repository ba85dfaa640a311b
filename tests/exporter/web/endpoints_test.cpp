// The routes over a real connection: status, headers, compression, and that dependencies are asked.
#include "exporter/web/endpoints.hpp"

#include "tests/exporter/metrics/store_fixture.hpp"
#include "tests/exporter/server/http_client.hpp"
#include "tests/exporter/server/inflate.hpp"
#include "tests/exporter/server/running_server.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>

namespace asio = boost::asio;
using namespace sonde::exporter;
using sonde::tests::make_job;
using test::HttpClient;
using test::RunningServer;

namespace {

struct Fixture;

asio::awaitable<std::optional<std::string>> reload(Fixture& fixture);
asio::awaitable<HttpResponse> debug_probe(Fixture& fixture, const HttpRequest& request);

struct Fixture {
    explicit Fixture(std::size_t targets = 3) {
        for (std::size_t index = 0; index < targets; ++index) {
            const auto id = store.add(make_job("shop" + std::to_string(index), {{"team", "web"}}));
            store.record(
                id, sonde::tests::unix_time(1'700'000'000'000), sonde::tests::https_result());
        }
    }

    HttpHandler handler() {
        return make_endpoints(
            {.store = store,
             .self = {},
             .background = background.get_executor(),
             .ready = [this] { return ready.load(); },
             .reload = [this] { return reload(*this); },
             .debug_probe =
                 [this](const HttpRequest& request) { return debug_probe(*this, request); },
             .observe_scrape =
                 [this](double seconds) {
                     scrape_seconds = seconds;
                     ++scrapes;
                 },
             .version = "1.2.3"});
    }

    MetricStore store{sonde::tests::default_buckets(), {}};
    asio::thread_pool background{1};
    std::atomic<bool> ready = false;
    std::atomic<int> scrapes = 0;
    std::atomic<double> scrape_seconds = -1;
    std::atomic<int> reloads = 0;
    std::atomic<int> debug_checks = 0;
    std::optional<std::string> reload_errors;
    RunningServer server{handler()};
    HttpClient client{server.address()};
};

asio::awaitable<std::optional<std::string>> reload(Fixture& fixture) {
    ++fixture.reloads;
    co_return fixture.reload_errors;
}

asio::awaitable<HttpResponse> debug_probe(Fixture& fixture, const HttpRequest& request) {
    ++fixture.debug_checks;
    HttpResponse response;
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = "checked " + std::string{request.parameter("target").value_or("")};
    co_return response;
}

}  // namespace

TEST_CASE("health and readiness") {
    Fixture fixture;
    const auto healthy = fixture.client.get("/-/healthy");
    CHECK(healthy.status == 200);
    CHECK(healthy.body == "Healthy\n");
    CHECK(fixture.client.get("/-/ready").status == 503);
    fixture.ready = true;
    CHECK(fixture.client.get("/-/ready").status == 200);
}

TEST_CASE("reload is by POST, and tells the errors") {
    Fixture fixture;
    const auto refused = fixture.client.get("/-/reload");
    CHECK(refused.status == 405);
    CHECK(refused.field("allow") == "post");
    CHECK(fixture.reloads == 0);
    const std::string_view post = "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    fixture.client.send(post);
    CHECK(fixture.client.receive().status == 200);
    fixture.reload_errors = "sonde.toml:3: interval: \"30x\" is no duration";
    fixture.client.send(post);
    const auto failed = fixture.client.receive();
    CHECK(failed.status == 500);
    CHECK(failed.body == "sonde.toml:3: interval: \"30x\" is no duration\n");
    CHECK(fixture.reloads == 2);
}

TEST_CASE(
    "metrics in the format and coding that the scraper asks for, with its duration observed") {
    Fixture fixture(200);
    const auto plain = fixture.client.get("/metrics");
    CHECK(plain.status == 200);
    CHECK(plain.complete);
    CHECK(plain.field("content-type").starts_with("text/plain; version=0.0.4"));
    CHECK(plain.body.find("probe_success{target=\"shop7\",team=\"web\"} 1\n") != std::string::npos);
    CHECK(fixture.scrapes == 1);
    CHECK(fixture.scrape_seconds >= 0);

    CHECK(test::gunzip(fixture.client.get("/metrics", "Accept-Encoding: gzip\r\n").body) ==
          plain.body);
    const auto zstd = fixture.client.get("/metrics", "Accept-Encoding: gzip, zstd\r\n");
    CHECK(zstd.field("content-encoding") == "zstd");
    CHECK(zstd.header.find("\r\nvary: accept\r\n") != std::string::npos);
    CHECK(zstd.header.find("\r\nvary: accept-encoding\r\n") != std::string::npos);
    CHECK(test::unzstd(zstd.body) == plain.body);

    const auto openmetrics =
        fixture.client.get("/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
    CHECK(openmetrics.field("content-type").starts_with("application/openmetrics-text"));
    CHECK(openmetrics.body.ends_with("# EOF\n"));
    CHECK(fixture.scrapes == 4);

    fixture.client.send("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(fixture.client.receive(true).field("content-type") == plain.field("content-type"));
    CHECK(fixture.scrapes == 4);
}

TEST_CASE("the debug page is by GET: nothing else makes a check") {
    Fixture fixture;
    const auto checked = fixture.client.get("/debug/probe?target=shop1");
    CHECK(checked.body == "checked shop1");
    CHECK(checked.field("cache-control") == "no-store");
    fixture.client.send("HEAD /debug/probe?target=shop1 HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto refused = fixture.client.receive(true);
    CHECK(refused.status == 405);
    CHECK(refused.field("allow") == "get");
    CHECK(fixture.debug_checks == 1);
}

TEST_CASE("metrics can be asked for by name") {
    Fixture fixture;
    const auto got = fixture.client.get("/metrics?name[]=probe_success&name[]=probe_http_version");
    CHECK(got.body.find("probe_success{") != std::string::npos);
    CHECK(got.body.find("probe_http_version{") != std::string::npos);
    CHECK(got.body.find("probe_duration_seconds{") == std::string::npos);
}

TEST_CASE("a scrape may ask for a part of the targets") {
    Fixture fixture;
    const std::string everything = fixture.client.get("/metrics?collect[]=probe_success").body;
    const std::string first = fixture.client.get("/metrics?collect[]=probe_success&shard=1/2").body;
    const std::string second =
        fixture.client.get("/metrics?collect[]=probe_success&shard=2/2").body;
    const auto samples = [](const std::string& body) {
        std::size_t count = 0;
        for (auto at = body.find("probe_success{"); at != std::string::npos;
             at = body.find("probe_success{", at + 1)) {
            ++count;
        }
        return count;
    };
    CHECK(samples(everything) > 0);
    CHECK(samples(first) + samples(second) == samples(everything));
    CHECK(samples(fixture.client.get("/metrics?match[]=%7Btarget%3D%22nobody%22%7D").body) == 0);

    const auto wrong = fixture.client.get("/metrics?shard=9/8");
    CHECK(wrong.status == 400);
    CHECK(wrong.body.find("shard must be like 3/8") != std::string::npos);
    CHECK(fixture.client.get("/metrics?match[]=up").status == 400);
}

TEST_CASE("the landing page runs its own script and style only") {
    Fixture fixture;
    const auto page = fixture.client.get("/");
    CHECK(page.status == 200);
    CHECK(page.field("content-type") == "text/html; charset=utf-8");
    const auto policy = page.field("content-security-policy");
    CHECK(policy.starts_with("default-src 'none'; connect-src 'self'"));
    CHECK(policy.find("script-src 'sha256-") != std::string::npos);
    CHECK(policy.find("unsafe") == std::string::npos);
    // One of each, without attributes, or the hashes would not cover them; and nothing from
    // elsewhere.
    for (const std::string tag : {"script", "style"}) {
        CHECK(page.body.find("<" + tag) == page.body.rfind("<" + tag));
    }
    CHECK(page.body.find("src=") == std::string::npos);
    CHECK(page.body.find(" style=") == std::string::npos);
    CHECK(page.body.find("innerHTML") == std::string::npos);
    CHECK(test::gunzip(fixture.client.get("/", "Accept-Encoding: gzip\r\n").body) == page.body);
    CHECK(fixture.client.get("/favicon.ico").field("content-type") == "image/svg+xml");
}

TEST_CASE("the list of targets is JSON from the store") {
    Fixture fixture(1500);
    fixture.store.add(make_job("fresh"));
    const auto got = fixture.client.get("/api/targets?limit=2&state=up&sort=name&order=desc");
    CHECK(got.status == 200);
    CHECK(got.field("content-type") == "application/json");
    const auto json = boost::json::parse(got.body);
    CHECK(json.at("total").to_number<int>() == 1501);
    CHECK(json.at("up").to_number<int>() == 1500);
    CHECK(json.at("waiting").to_number<int>() == 1);
    CHECK(json.at("version") == "1.2.3");
    CHECK(json.at("targets").as_array().size() == 2);
    CHECK(json.at("targets").at(0).at("name") == "shop999");
    const auto bad = fixture.client.get("/api/targets?state=%3Cscript%3E");
    CHECK(bad.status == 400);
    CHECK(bad.body == "state must be one of: down, waiting, up\n");
}

TEST_CASE("unknown pages and methods are told what there is; every answer is sealed") {
    Fixture fixture;
    const auto lost = fixture.client.get("/metrics/");
    CHECK(lost.status == 404);
    CHECK(lost.body.find("/metrics  ") != std::string::npos);
    for (const std::string path : {"/", "/metrics", "/api/targets", "/-/healthy", "/-/ready"}) {
        CAPTURE(path);
        fixture.client.send("DELETE " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
        const auto refused = fixture.client.receive();
        CHECK(refused.status == 405);
        CHECK(refused.field("allow") == "get, head");
    }
    for (const std::string path : {"/", "/metrics", "/api/targets", "/-/healthy", "/nowhere"}) {
        CAPTURE(path);
        const auto got = fixture.client.get(path);
        CHECK(got.field("x-content-type-options") == "nosniff");
        CHECK(got.field("content-security-policy").starts_with("default-src 'none'"));
        CHECK(got.field("content-security-policy").find("frame-ancestors 'none'") !=
              std::string::npos);
    }
}

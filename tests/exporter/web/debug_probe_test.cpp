// /debug/probe over a real connection with probes that check nothing: what it answers, how many at
// a time, how it ends; and that what servers send is text on the page.
#include "exporter/web/debug_probe.hpp"

#include "exporter/web/probe_page.hpp"

#include "tests/exporter/metrics/store_fixture.hpp"
#include "tests/exporter/server/http_client.hpp"
#include "tests/exporter/server/running_server.hpp"
#include "tests/support/latch.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace sonde::exporter;
using namespace sonde::tests;
using test::HttpClient;
using test::RunningServer;

namespace {

std::shared_ptr<const Plan> plan_of(const std::string& text) {
    const TempDir directory;
    const LoadResult loaded =
        load_plan(directory.write("sonde.toml", text).string(), sonde::probes::kinds());
    INFO(loaded.diagnostics.text());
    REQUIRE(loaded.plan);
    return loaded.plan;
}

std::string target(const std::string& name, const std::string& url) {
    return "[[target]]\nname = \"" + name + "\"\nurl = \"" + url + "\"\n";
}

struct Fixture {
    explicit Fixture(const std::string& config)
        : plan(plan_of(config)),
          debug([this] { return plan; }, plan->service().engine),
          server([this](const HttpRequest& request) { return debug.answer(request); }),
          client(server.address()) {}

    std::shared_ptr<const Plan> plan;
    DebugProbe debug;
    RunningServer server;
    HttpClient client;
};

std::string answer_with(const std::string& fields) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + fields + "\r\nok";
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("debug probe: a page and JSON of a check that is made for them") {
    ScriptedServer site({{step::read_request(),
                          step::send(answer_with("X-Evil: <script>alert(1)</script>\r\n"
                                                 "Set-Cookie: id=hush\r\n"))}});
    Fixture fixture(target("the shop & more", site.url("/a")));
    const auto page = fixture.client.get("/debug/probe?target=the+shop+%26+more");
    CHECK(page.status == 200);
    CHECK(page.field("content-type") == "text/html; charset=utf-8");
    CHECK(page.field("cache-control") == "no-store");
    CHECK(has(page.body, "<h1>the shop &amp; more</h1>"));
    CHECK(has(page.body, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    CHECK_FALSE(has(page.body, "<script"));
    CHECK_FALSE(has(page.body, " style="));
    CHECK_FALSE(has(page.body, "hush"));
    CHECK(has(page.body, "href=\"?target=the%20shop%20%26%20more\""));
    for (const std::string_view part : {"success", "connect", "processing", "<svg", "sum"}) {
        CAPTURE(part);
        CHECK(has(page.body, part));
    }
    const auto policy = page.field("content-security-policy");
    CHECK(policy.starts_with("default-src 'none'"));
    CHECK(has(policy, "style-src 'sha256-"));
    CHECK_FALSE(has(policy, "unsafe"));

    const auto json = fixture.client.get("/debug/probe?format=json&target=the+shop+%26+more");
    CHECK(json.field("content-type") == "application/json");
    const auto report = boost::json::parse(json.body);
    CHECK(report.at("success").as_bool());
    CHECK(report.at("hops").at(0).at("status").to_number<int>() == 200);
    CHECK(report.at("hops").at(0).at("address").as_string() == site.address());
    CHECK(site.accepted() == 2);
}

TEST_CASE("debug probe: a failure tells how far it came") {
    const RefusedPort refused;
    Fixture fixture(target("gone", "http://127.0.0.1:" + std::to_string(refused.port()) + "/"));
    const auto page = fixture.client.get("/debug/probe?target=gone");
    CHECK(page.status == 200);
    CHECK(has(page.body, "failed: connect_refused"));
    CHECK(has(page.body, "in hop 1, before any phase ended"));
    CHECK(has(page.body, "127.0.0.1:" + std::to_string(refused.port())));
}

TEST_CASE("debug probe: wrong questions") {
    Fixture fixture(target("shop", "http://127.0.0.1:1/"));
    CHECK(fixture.client.get("/debug/probe").status == 400);
    CHECK(fixture.client.get("/debug/probe?target=").status == 400);
    CHECK(fixture.client.get("/debug/probe?target=shop&format=xml").status == 400);
    const auto lost = fixture.client.get("/debug/probe?target=http://127.0.0.1:1/");
    CHECK(lost.status == 404);
    CHECK(has(lost.body, "/api/targets?q="));
}

TEST_CASE("debug probe: two at a time, and the server goes on answering meanwhile") {
    Latch both;
    Latch go_on;
    Latch first;
    ScriptedServer site({{step::read_request(),
                          step::signal(first),
                          step::pause(go_on),
                          step::send(answer_with(""))},
                         {step::read_request(),
                          step::signal(both),
                          step::pause(go_on),
                          step::send(answer_with(""))}});
    Fixture fixture(target("slow", site.url()) + "timeout = \"20s\"\ninterval = \"30s\"\n");
    const std::string question = "GET /debug/probe?target=slow HTTP/1.1\r\nHost: a\r\n\r\n";
    HttpClient one{fixture.server.address()};
    HttpClient two{fixture.server.address()};
    one.send(question);
    two.send(question);
    REQUIRE(first.wait());
    REQUIRE(both.wait());
    const auto refused = fixture.client.get("/debug/probe?target=slow");
    CHECK(refused.status == 429);
    CHECK(refused.field("retry-after") == "5");
    go_on.open();
    CHECK(one.receive().status == 200);
    CHECK(two.receive().status == 200);
    CHECK(fixture.client.get("/debug/probe?target=slow").status == 200);
}

TEST_CASE("debug probe: the end of the program ends checks under way") {
    Latch under_way;
    ScriptedServer site({{step::read_request(), step::signal(under_way), step::wait_for_close()}});
    Fixture fixture(target("silent", site.url()) + "timeout = \"20s\"\ninterval = \"30s\"\n");
    fixture.client.send("GET /debug/probe?target=silent HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(under_way.wait());
    fixture.debug.stop();
    CHECK(fixture.client.receive().status == 503);
    CHECK(fixture.client.get("/debug/probe?target=silent").status == 503);
}

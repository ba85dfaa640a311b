#include "exporter/plan/plan.hpp"

#include "tests/exporter/plan/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace std::chrono_literals;
using namespace sonde::exporter;
using sonde::exporter::test::fake;
using sonde::exporter::test::PlanFiles;

TEST_CASE("a target takes its own keys over its module's over the defaults'") {
    PlanFiles files;
    CHECK(files.errors_of(R"(
[defaults]
interval = "20s"
timeout = "4s"
status = ["404"]
labels = { team = "core", tier = "1" }
headers = { A = "default", B = "default" }
[modules.api]
timeout = "3s"
labels = { team = "web" }
headers = { B = "module" }
[[target]]
name = "shop"
url = "https://user:pw@shop.example/a?b=c"
module = "api"
labels = { tier = false, shop = "yes" }
read = "until_decided"
[[target]]
url = "https://user:pw@plain.example/"
)") == "");
    REQUIRE(files.plan);
    REQUIRE(files.plan->size() == 2);
    const JobPtr shop = files.job("shop");
    REQUIRE(shop);
    CHECK(shop->kind == "http");
    CHECK(*shop->module == "api");
    CHECK(shop->interval == 20s);
    CHECK(shop->timeout == 3s);
    CHECK(*shop->labels == Labels{{"shop", "yes"}, {"team", "web"}});
    CHECK(shop->shown_url.empty());
    CHECK(shop->target.url.userinfo() == "user:pw");
    CHECK(fake(shop).status == std::vector<std::string>{"404"});
    CHECK(fake(shop).headers.at("A").reveal() == "default");
    CHECK(fake(shop).headers.at("B").reveal() == "module");
    CHECK(fake(shop).read == "until_decided");
    const JobPtr plain = files.job("https://plain.example/");
    REQUIRE(plain);
    CHECK_FALSE(plain->module);
    CHECK(*plain->labels == Labels{{"team", "core"}, {"tier", "1"}});
    CHECK(fake(plain).read == "all");
}

TEST_CASE("the kind comes from the scheme, the module or is http") {
    PlanFiles files;
    CHECK(files.errors_of(R"(
[modules.question]
kind = "ask"
query = "?"
[[target]]
name = "web"
url = "shop.example:8080/x"
[[target]]
name = "asked"
url = "shop.example"
module = "question"
[[target]]
name = "named"
url = "shop.example"
kind = "ask"
query = "!"
[[target]]
name = "upper"
url = "HTTPS://shop.example/?to=ask://x"
[[target]]
name = "no scheme"
url = "shop.example/?to=ask://x"
)") == "");
    CHECK(files.job("web")->kind == "http");
    CHECK(files.job("web")->target.url.show() == "http://shop.example:8080/x");
    CHECK(files.job("asked")->kind == "ask");
    CHECK(files.job("named")->kind == "ask");
    CHECK(files.job("upper")->kind == "http");
    CHECK(files.job("no scheme")->kind == "http");
}

TEST_CASE("an inherited timeout is clamped to the interval, an explicit one is an error") {
    PlanFiles files;
    CHECK(
        files.errors_of(
            "[defaults]\ntimeout = \"1m\"\n[modules.slow]\ntimeout = \"2m\"\n"
            "[[target]]\nname = \"a\"\nurl = \"http://a/\"\n"
            "[[target]]\nname = \"b\"\nurl = \"http://b/\"\nmodule = \"slow\"\ninterval = \"5s\"\n"
            "[[target]]\nname = \"c\"\nurl = \"http://c/\"\nmodule = \"slow\"\ninterval = \"1h\"\n"
            "[[target]]\nname = \"d\"\nurl = \"http://d/\"\ninterval = \"5s\"\ntimeout = "
            "false\n") == "");
    CHECK(files.job("a")->timeout == 30s);
    CHECK(files.job("b")->timeout == 5s);
    CHECK(files.job("c")->timeout == 2min);
    CHECK(files.job("d")->timeout == 5s);
    CHECK(files.errors_of("[defaults]\ninterval = \"1s\"\ntimeout = \"2s\"\n"
                          "[modules.m]\ninterval = \"2s\"\ntimeout = \"3s\"\n"
                          "[[target]]\nname = \"a\"\nurl = \"http://a/\"\nmodule = \"m\"\n"
                          "[[target]]\nname = \"b\"\nurl = \"http://b/\"\ntimeout = \"4s\"\n") ==
          "sonde.toml:3: defaults.timeout: the timeout 2s is longer than the interval 1s; make it "
          "at most the "
          "interval\n"
          "sonde.toml:6: modules.m.timeout: the timeout 3s is longer than the interval 2s; make it "
          "at most the "
          "interval\n"
          "sonde.toml:14: target.b.timeout: the timeout 4s is longer than the interval 1s; make it "
          "at most the "
          "interval\n");
}

TEST_CASE("equal settings are one probe, whatever file and form they come from") {
    PlanFiles files;
    files.write("token", "secret\n");
    files.write("targets.d/other.toml",
                "[[target]]\nname = \"e\"\nurl = \"http://e/\"\nstatus = \"404\"\n");
    CHECK(files.errors_of(R"(
[engine]
targets_dir = "targets.d"
[modules.not_found]
status = ["404"]
[[target]]
name = "a"
url = "http://a/"
[[target]]
name = "b"
url = "http://b/"
status = ["2xx"]
[[target]]
name = "c"
url = "http://c/"
module = "not_found"
[[target]]
name = "d"
url = "http://d/"
status = ["404"]
[[target]]
name = "f"
url = "http://f/"
headers = { A = { file = "token" } }
[[target]]
name = "g"
url = "http://g/"
headers = { A = "secret" }
)") == "");
    CHECK(files.job("a")->probe == files.job("b")->probe);
    CHECK(files.job("c")->probe == files.job("d")->probe);
    CHECK(files.job("c")->probe == files.job("e")->probe);
    CHECK(files.job("a")->probe != files.job("c")->probe);
    CHECK(files.job("f")->probe != files.job("g")->probe);
    CHECK(fake(files.job("f")).headers.at("A") == sonde::config::Text::secret("secret"));
}

TEST_CASE("what many targets share is decoded once, written at each of them or inherited") {
    PlanFiles files;
    std::string text = "[modules.m]\nstatus = \"301\"\n";
    for (int i = 0; i < 100; ++i) {
        const std::string number = std::to_string(i);
        text += "[[target]]\nname = \"m" + number + "\"\nurl = \"http://m/\"\nmodule = \"m\"\n";
        text += "[[target]]\nname = \"o" + number + "\"\nurl = \"http://o/\"\nstatus = \"302\"\n";
    }
    const int before = sonde::exporter::test::makes();
    CHECK(files.errors_of(text) == "");
    CHECK(files.plan->size() == 200);
    CHECK(sonde::exporter::test::makes() - before < 10);
}

TEST_CASE("a secret url is shown as its host and needs a name") {
    PlanFiles files;
    files.write("hook", "https://user:pw@hooks.example:8443/T0KEN/x?key=K3Y\n");
    files.write("bad", "no url S3CRET at all\n");
    CHECK(files.errors_of("[[target]]\nname = \"hook\"\nurl = { file = \"hook\" }\n") == "");
    CHECK(files.job("hook")->shown_url == "https://hooks.example:8443/<secret>");
    CHECK(files.job("hook")->target.url.request_target() == "/T0KEN/x?key=K3Y");
    const std::string errors = files.errors_of(
        "[[target]]\nurl = { file = \"hook\" }\n"
        "[[target]]\nname = \"bad\"\nurl = { file = \"bad\" }\n"
        "[[target]]\nname = { file = \"hook\" }\nurl = \"http://x/\"\n"
        "labels = { a = { file = \"hook\" } }\nmodule = { file = \"hook\" }\n");
    CHECK(
        errors ==
        "sonde.toml:2: target[0].url: a target whose url is a secret needs a name\n"
        "sonde.toml:5: target.bad.url: the secret does not hold a url that kind http takes\n"
        "sonde.toml:7: target[2].name: must be a plain string: a secret cannot be used here\n"
        "sonde.toml:9: target[2].labels.a: must be a plain string: a secret cannot be used here\n"
        "sonde.toml:10: target[2].module: must be a plain string: a secret cannot be used here\n");
}

TEST_CASE("files of targets_dir are read in order, hidden ones and others are not") {
    PlanFiles files;
    files.write("sonde.toml",
                "[engine]\ntargets_dir = \"targets.d\"\n[[target]]\nname = \"main\"\nurl = "
                "\"http://m/\"\n");
    files.write("targets.d/20.toml",
                "[[target]]\nname = \"second\"\nurl = \"http://s/\"\nmodule = \"late\"\n");
    files.write("targets.d/10.toml", "[[target]]\nname = \"first\"\nurl = \"http://f/\"\n");
    files.write("targets.d/30.toml", "[\"mod\\u0075les\".late]\ninterval = \"1m\"\n");
    files.write("targets.d/.hidden.toml", "not toml");
    files.write("targets.d/readme.txt", "not toml");
    const LoadResult result = files.load();
    CHECK(files.errors(result) == "");
    REQUIRE(result.plan);
    std::string order;
    result.plan->for_each([&](const JobPtr& job) { order += job->target.name + " "; });
    CHECK(order == "main first second ");
    CHECK(files.job("second")->interval == 1min);
    const auto watched = [&](const char* name) {
        return std::count(result.watch.begin(), result.watch.end(), (files.path() / name).string());
    };
    CHECK(watched("sonde.toml") == 1);
    CHECK(watched("targets.d") == 1);
    CHECK(watched("targets.d/30.toml") == 1);
    CHECK(watched("targets.d/.hidden.toml") == 0);
}

TEST_CASE("a missing secret is watched, so that its appearance can mend the plan") {
    PlanFiles files;
    files.write(
        "sonde.toml",
        "[[target]]\nname = \"a\"\nurl = \"http://a/\"\nheaders = { A = { file = \"late\" } }\n");
    const LoadResult result = files.load();
    CHECK_FALSE(result.plan);
    CHECK(std::count(result.watch.begin(), result.watch.end(), (files.path() / "late").string()) ==
          1);
}

TEST_CASE("the built-in plan has no targets and serves single checks") {
    const std::shared_ptr<const Plan> plan = built_in_plan(sonde::exporter::test::fake_kinds());
    REQUIRE(plan);
    CHECK(plan->size() == 0);
    CHECK(plan->service() == sonde::config::Service{});
    std::string error;
    const JobPtr job = plan->job_for("shop.example", "", error);
    REQUIRE(job);
    CHECK(job->target.url.show() == "http://shop.example/");
    CHECK(job->timeout == 10s);
    CHECK(job->kind == "http");
}

TEST_CASE("a job for a url that is in no file inherits from the module") {
    PlanFiles files;
    REQUIRE(files.errors_of(
                "[defaults]\ntimeout = \"7s\"\n[modules.web]\nstatus = \"404\"\ntimeout = \"3s\"\n"
                "[modules.q]\nkind = \"ask\"\nquery = \"?\"\n[modules.part]\nkind = \"ask\"\n") ==
            "");
    std::string error;
    JobPtr job = files.plan->job_for("https://x.example/", "web", error);
    REQUIRE(job);
    CHECK(fake(job).status == std::vector<std::string>{"404"});
    CHECK(job->timeout == 3s);
    CHECK(*job->module == "web");
    job = files.plan->job_for("x.example", "q", error);
    REQUIRE(job);
    CHECK(job->kind == "ask");
    CHECK(files.plan->job_for("https://x.example/", "", error)->timeout == 7s);
    CHECK_FALSE(files.plan->job_for("https://x.example/", "wbe", error));
    CHECK(error == "unknown module \"wbe\", did you mean \"web\"?");
    CHECK_FALSE(files.plan->job_for("https://x.example/", "q", error));
    CHECK(error == "the module \"q\" has no settings for a url of kind http");
    CHECK_FALSE(files.plan->job_for("x.example", "part", error));
    CHECK_FALSE(files.plan->job_for("ask://x.example/path", "q", error));
    CHECK(error == "must have no path");
    CHECK_FALSE(files.plan->job_for("", "", error));
}

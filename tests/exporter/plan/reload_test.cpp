#include "tests/exporter/plan/fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace std::chrono_literals;
using namespace sonde::exporter;
using sonde::exporter::test::fake;
using sonde::exporter::test::PlanFiles;

namespace {

constexpr std::string_view main_file =
    "[engine]\ntargets_dir = \"targets.d\"\n[modules.m]\nstatus = \"404\"\n";

std::string target(const std::string& name, const std::string& more = {}) {
    return "[[target]]\nname = \"" + name + "\"\nurl = \"http://" + name + "/\"\n" + more;
}

}  // namespace

TEST_CASE("a reload says what was added, removed, changed and left alone") {
    PlanFiles files;
    files.write("sonde.toml", main_file);
    files.write("targets.d/a.toml", target("a1", "module = \"m\"\n") + target("a2") + target("a3"));
    files.write("targets.d/b.toml", target("b1"));
    const auto first = files.load().plan;
    REQUIRE(first);
    const PlanDiff start = diff(nullptr, *first);
    CHECK(start.added.size() == 4);
    CHECK(start.unchanged == 0);
    files.write(
        "targets.d/a.toml",
        target("a0") + target("a3", "interval = \"1m\"\n") + target("a1", "module = \"m\"\n"));
    const auto second = files.load().plan;
    REQUIRE(second);
    const PlanDiff change = diff(first.get(), *second);
    REQUIRE(change.added.size() == 1);
    CHECK(change.added.front()->target.name == "a0");
    REQUIRE(change.removed.size() == 1);
    CHECK(change.removed.front()->target.name == "a2");
    REQUIRE(change.changed.size() == 1);
    CHECK(change.changed.front().first->interval == 30s);
    CHECK(change.changed.front().second->interval == 1min);
    CHECK(change.unchanged == 2);
}

TEST_CASE("only files whose content changed are decoded, and unchanged jobs are the same objects") {
    PlanFiles files;
    files.write("sonde.toml", main_file);
    files.write("targets.d/a.toml",
                target("a", "module = \"m\"\n") + target("other", "status = \"500\"\n"));
    files.write("targets.d/b.toml", target("b"));
    CHECK(files.load().files_parsed == 3);
    const JobPtr a = files.job("a");
    const JobPtr other = files.job("other");
    const JobPtr b = files.job("b");
    files.write(
        "targets.d/a.toml",
        "# moved\n" + target("other", "status = [\"500\"]\n") + target("a", "module = \"m\"\n"));
    const LoadResult result = files.load();
    CHECK(result.files_parsed == 1);
    CHECK(files.job("a") == a);
    CHECK(files.job("b") == b);
    CHECK(files.job("other") == other);
}

TEST_CASE("a target that moves to another file is unchanged") {
    PlanFiles files;
    files.write("sonde.toml", main_file);
    files.write("targets.d/a.toml", target("x") + target("y"));
    files.write("targets.d/b.toml", target("z"));
    const auto first = files.load().plan;
    files.write("targets.d/a.toml", target("y"));
    files.write("targets.d/b.toml", target("z") + target("x"));
    const auto second = files.load().plan;
    REQUIRE(second);
    const PlanDiff change = diff(first.get(), *second);
    CHECK(change.unchanged == 3);
    CHECK(change.added.size() + change.removed.size() + change.changed.size() == 0);
}

TEST_CASE("nothing changed: the old plan itself comes back, with its watch list") {
    PlanFiles files;
    files.write("token", "t");
    files.write("sonde.toml", main_file);
    files.write("targets.d/a.toml", target("a", "headers = { A = { file = \"../token\" } }\n"));
    const LoadResult first = files.load();
    const LoadResult second = files.load();
    CHECK(second.plan == first.plan);
    CHECK(second.files_parsed == 0);
    CHECK(second.watch == first.watch);
    files.write("targets.d/b.toml", "");
    CHECK(files.load().plan != first.plan);
    std::filesystem::remove(files.path() / "targets.d/b.toml");
    CHECK(files.load().plan->parts().files.size() == 2);
}

TEST_CASE("a changed module changes its targets and nobody else") {
    PlanFiles files;
    files.write("sonde.toml", main_file);
    files.write("targets.d/a.toml", target("a", "module = \"m\"\n") + target("plain"));
    const auto first = files.load().plan;
    const JobPtr plain = files.job("plain");
    files.write("sonde.toml",
                "[engine]\ntargets_dir = \"targets.d\"\n[modules.m]\nstatus = \"500\"\n");
    const auto second = files.load().plan;
    REQUIRE(second);
    const PlanDiff change = diff(first.get(), *second);
    REQUIRE(change.changed.size() == 1);
    CHECK(fake(change.changed.front().second).status == std::vector<std::string>{"500"});
    CHECK(files.job("plain") == plain);
}

TEST_CASE("settings of the service change no job") {
    PlanFiles files;
    files.write("sonde.toml", main_file);
    files.write("targets.d/a.toml", target("a", "module = \"m\"\n"));
    const auto first = files.load().plan;
    files.write("sonde.toml", std::string{main_file} + "[log]\nlevel = \"debug\"\n");
    const auto second = files.load().plan;
    REQUIRE(second);
    CHECK(second->service().log.level == "debug");
    CHECK(diff(first.get(), *second).unchanged == 1);
}

TEST_CASE("a changed secret changes the targets that use it, through a module or on their own") {
    PlanFiles files;
    files.write("token", "one");
    files.write("own", "one");
    files.write("sonde.toml",
                "[engine]\ntargets_dir = \"targets.d\"\n"
                "[modules.m]\nheaders = { A = { file = \"token\" } }\n");
    files.write("targets.d/a.toml", target("a", "module = \"m\"\n"));
    files.write("targets.d/b.toml", target("b", "headers = { A = { file = \"../own\" } }\n"));
    files.write("targets.d/c.toml", target("c", "headers = { A = { file = \"../own\" } }\n"));
    files.write("targets.d/d.toml", target("d"));
    const auto first = files.load().plan;
    REQUIRE(first);
    CHECK(files.job("b")->probe == files.job("c")->probe);
    files.write("own", "two");
    const LoadResult own = files.load();
    REQUIRE(own.plan);
    CHECK(own.files_parsed == 2);
    CHECK(diff(first.get(), *own.plan).changed.size() == 2);
    CHECK(fake(files.job("c")).headers.at("A").reveal() == "two");
    files.write("token", "two");
    const LoadResult shared = files.load();
    REQUIRE(shared.plan);
    const PlanDiff change = diff(own.plan.get(), *shared.plan);
    REQUIRE(change.changed.size() == 1);
    CHECK(change.changed.front().second->target.name == "a");
    std::filesystem::remove(files.path() / "token");
    const LoadResult gone = files.load();
    CHECK_FALSE(gone.plan);
    CHECK(files.errors(gone) ==
          "sonde.toml:4: modules.m.headers.A: cannot read the secret file \"token\": No such file "
          "or directory\n");
}

TEST_CASE("a bad reload gives no plan and leaves the old one usable for the next") {
    PlanFiles files;
    files.write("sonde.toml", main_file);
    files.write("targets.d/a.toml", target("a"));
    const auto first = files.load().plan;
    const JobPtr a = files.job("a");
    files.write("targets.d/b.toml", target("b", "interval = 5\n"));
    CHECK_FALSE(files.load().plan);
    files.write("targets.d/b.toml", target("b"));
    const auto second = files.load().plan;
    REQUIRE(second);
    CHECK(files.job("a") == a);
    CHECK(diff(first.get(), *second).added.size() == 1);
}

TEST_CASE(
    "a module without a kind keeps the kind of the targets in files that were not read again") {
    PlanFiles files;
    files.write("sonde.toml",
                "[engine]\ntargets_dir = \"targets.d\"\n[modules.q]\nquery = \"?\"\n");
    files.write("targets.d/a.toml",
                "[[target]]\nname = \"a\"\nurl = \"ask://a/\"\nmodule = \"q\"\n");
    files.write("targets.d/b.toml", target("b"));
    REQUIRE(files.load().plan);
    files.write("targets.d/b.toml", target("b2"));
    const LoadResult result = files.load();
    CHECK(files.errors(result) == "");
    CHECK(result.plan);
}

TEST_CASE("a ConfigMap's swap of the ..data link is a change like any other") {
    namespace fs = std::filesystem;
    PlanFiles files;
    files.write("sonde.toml", main_file);
    files.write("targets.d/..2024_01/a.toml", target("a") + target("b"));
    files.write("targets.d/..2024_02/a.toml", target("a") + target("c"));
    const fs::path directory = files.path() / "targets.d";
    fs::create_symlink("..2024_01", directory / "..data");
    fs::create_symlink("..data/a.toml", directory / "a.toml");
    const auto first = files.load().plan;
    REQUIRE(first);
    const JobPtr a = files.job("a");
    fs::create_symlink("..2024_02", directory / "..data_tmp");
    fs::rename(directory / "..data_tmp", directory / "..data");
    const auto second = files.load().plan;
    REQUIRE(second);
    const PlanDiff change = diff(first.get(), *second);
    CHECK(change.added.size() == 1);
    CHECK(change.removed.size() == 1);
    CHECK(files.job("a") == a);
}

TEST_CASE("probes that no plan uses any more are forgotten") {
    PlanFiles files;
    files.write("sonde.toml", target("a", "status = \"500\"\n"));
    files.load();
    const std::size_t before = files.plan->parts().pool->size();
    for (int i = 501; i < 520; ++i) {
        files.write("sonde.toml", target("a", "status = \"" + std::to_string(i) + "\"\n"));
        REQUIRE(files.load().plan);
    }
    // The plan before the last one was still alive when the last was made.
    CHECK(files.plan->parts().pool->size() <= before + 1);
}

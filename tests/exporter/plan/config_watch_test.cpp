#include "exporter/plan/config_watch.hpp"

#include "exporter/plan/watch_points.hpp"

#include "tests/support/temp_dir.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <optional>

using namespace std::chrono_literals;
using sonde::exporter::ConfigWatch;
using sonde::exporter::watch_points;
using sonde::exporter::WatchPoints;
namespace fs = std::filesystem;

namespace {

/// A watch with a short debounce, and how often it called.
struct Watching {
    explicit Watching(std::chrono::nanoseconds debounce = 5ms) {
        watch.emplace(io.get_executor(), debounce, [this] { ++calls; });
    }

    /// Runs until `calls` has reached `wanted`; false when that takes unreasonably long.
    bool reaches(int wanted) {
        const auto limit = std::chrono::steady_clock::now() + 10s;
        while (calls < wanted && std::chrono::steady_clock::now() < limit) {
            io.run_one_for(100ms);
        }
        return calls == wanted;
    }

    /// Whether nothing is called for some time that is long beside the debounce.
    bool stays_quiet() {
        const int before = calls;
        io.run_for(60ms);
        return calls == before;
    }

    boost::asio::io_context io;
    int calls = 0;
    std::optional<ConfigWatch> watch;
};

}  // namespace

TEST_CASE("writing, replacing, removing and creating a file are each told once") {
    const sonde::tests::TempDir directory;
    const std::string file = directory.write("sonde.toml", "a");
    Watching watching;
    CHECK(watching.watch->watch({file}).empty());
    CHECK(watching.stays_quiet());
    directory.write("sonde.toml", "b");
    CHECK(watching.reaches(1));
    directory.write(".sonde.toml.swp", "c");
    CHECK(watching.stays_quiet());
    fs::rename(directory.path() / ".sonde.toml.swp", file);
    CHECK(watching.reaches(2));
    fs::remove(file);
    CHECK(watching.reaches(3));
    directory.write("sonde.toml", "d");
    CHECK(watching.reaches(4));
    CHECK(watching.stays_quiet());
}

TEST_CASE("a burst of changes is told once") {
    const sonde::tests::TempDir directory;
    Watching watching{50ms};
    CHECK(watching.watch->watch({directory.path().string()}).empty());
    for (int i = 0; i < 50; ++i) {
        directory.write(std::to_string(i) + ".toml", "x");
    }
    CHECK(watching.reaches(1));
    watching.io.run_for(150ms);
    CHECK(watching.calls == 1);
}

TEST_CASE("changes that do not end are told all the same") {
    const sonde::tests::TempDir directory;
    Watching watching{20ms};
    CHECK(watching.watch->watch({directory.path().string()}).empty());
    const auto start = std::chrono::steady_clock::now();
    while (watching.calls == 0 && std::chrono::steady_clock::now() < start + 10s) {
        directory.write("busy.toml", "x");
        watching.io.run_for(5ms);
    }
    CHECK(watching.calls == 1);
}

TEST_CASE("every entry of a watched directory counts") {
    const sonde::tests::TempDir directory;
    directory.write("targets.d/a.toml", "a");
    Watching watching;
    CHECK(watching.watch->watch({(directory.path() / "targets.d").string()}).empty());
    directory.write("targets.d/b.toml", "b");
    CHECK(watching.reaches(1));
    fs::remove(directory.path() / "targets.d/a.toml");
    CHECK(watching.reaches(2));
    directory.write("elsewhere.toml", "c");
    CHECK(watching.stays_quiet());
}

TEST_CASE("the swap of a ConfigMap's ..data link is told, again and again") {
    const sonde::tests::TempDir directory;
    const fs::path mount = directory.path() / "targets.d";
    for (const std::string version : {"..1", "..2", "..3"}) {
        directory.write("targets.d/" + version + "/a.toml", version);
    }
    fs::create_symlink("..1", mount / "..data");
    fs::create_symlink("..data/a.toml", mount / "a.toml");
    Watching watching;
    CHECK(watching.watch->watch({(mount / "a.toml").string()}).empty());
    int calls = 0;
    for (const std::string version : {"..2", "..3"}) {
        fs::create_symlink(version, mount / "..data_tmp");
        CHECK(watching.stays_quiet());
        fs::rename(mount / "..data_tmp", mount / "..data");
        CHECK(watching.reaches(++calls));
    }
    // The file behind the link is watched where it is now, not where it was.
    directory.write("targets.d/..1/a.toml", "old");
    CHECK(watching.stays_quiet());
    directory.write("targets.d/..3/a.toml", "new");
    CHECK(watching.reaches(++calls));
}

TEST_CASE("what does not exist yet is waited for, through directories that do not exist either") {
    const sonde::tests::TempDir directory;
    const std::string file = (directory.path() / "a/b/secret").string();
    Watching watching;
    CHECK(watching.watch->watch({file}).empty());
    fs::create_directories(directory.path() / "a");
    CHECK(watching.reaches(1));
    fs::create_directories(directory.path() / "a/b");
    CHECK(watching.reaches(2));
    directory.write("a/b/secret", "s");
    CHECK(watching.reaches(3));
    fs::remove_all(directory.path() / "a");
    CHECK(watching.reaches(4));
    directory.write("a/b/secret", "s");
    CHECK(watching.reaches(5));
}

TEST_CASE("the list can be replaced") {
    const sonde::tests::TempDir directory;
    const std::string first = directory.write("one/a", "a");
    const std::string second = directory.write("two/b", "b");
    Watching watching;
    CHECK(watching.watch->watch({first}).empty());
    CHECK(watching.watch->watch({second}).empty());
    directory.write("one/a", "x");
    CHECK(watching.stays_quiet());
    directory.write("two/b", "x");
    CHECK(watching.reaches(1));
}

TEST_CASE("destruction ends everything, also with a change pending") {
    const sonde::tests::TempDir directory;
    const std::string file = directory.write("a", "a");
    Watching watching{1h};
    CHECK(watching.watch->watch({file}).empty());
    directory.write("a", "b");
    watching.io.run_one_for(10s);
    watching.watch.reset();
    // With nothing left to wait for, run() returns by itself.
    watching.io.run();
    CHECK(watching.calls == 0);
}

TEST_CASE("the points of a path are its entry and every link on the way") {
    const sonde::tests::TempDir directory;
    const std::string base = fs::canonical(directory.path()).string();
    directory.write("real/x/file", "f");
    fs::create_symlink("real", directory.path() / "link");
    fs::create_symlink("../x/file", directory.path() / "real/x/alias");
    CHECK(watch_points({base + "/link/x/alias"}) ==
          WatchPoints{{base, {"link"}}, {base + "/real/x", {"alias", "file"}}});
    CHECK(watch_points({base + "/real"}) == WatchPoints{{base, {"real"}}, {base + "/real", {""}}});
    CHECK(watch_points({base + "/none/at/all"}) == WatchPoints{{base, {"none"}}});
    fs::create_symlink("loop", directory.path() / "loop");
    CHECK(watch_points({base + "/loop/x"}) == WatchPoints{{base, {"loop"}}});
}

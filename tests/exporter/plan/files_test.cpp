// Every file of tests/config/bad and tests/config/good and every example, with the real kinds of
// probes.
#include "exporter/plan/plan.hpp"

#include <doctest/doctest.h>

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace sonde::exporter;
namespace fs = std::filesystem;

namespace {

const fs::path root = SONDE_SOURCE_DIR;

std::vector<fs::path> toml_files(const fs::path& directory) {
    std::vector<fs::path> out;
    for (const fs::directory_entry& entry : fs::directory_iterator{directory}) {
        if (entry.is_regular_file() && entry.path().extension() == ".toml") {
            out.push_back(entry.path());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// The lines after "# expect: " at the top of a file.
std::vector<std::string> expected_errors(const fs::path& file) {
    constexpr std::string_view mark = "# expect: ";
    std::vector<std::string> out;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line) && line.starts_with(mark);) {
        out.push_back(line.substr(mark.size()));
    }
    return out;
}

/// In the form of the expectations: "line 7: key: message", another file's with its name before.
std::vector<std::string> found_errors(const fs::path& file,
                                      const sonde::config::Diagnostics& diagnostics) {
    std::vector<std::string> out;
    for (const sonde::config::Diagnostic& one : diagnostics.all()) {
        const std::string other =
            fs::path{one.file}.lexically_relative(file.parent_path()).string();
        std::string line = other == file.filename() ? "" : other + ": ";
        line += "line " + std::to_string(one.line) + ": " +
                (one.key.empty() ? "" : one.key + ": ") + one.message;
        out.push_back(std::move(line));
    }
    return out;
}

/// A `*` stands for anything.
bool matches(std::string_view pattern, std::string_view text) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) {
        return pattern == text;
    }
    const std::string_view rest = pattern.substr(star + 1);
    return text.starts_with(pattern.substr(0, star)) && text.size() >= star + rest.size() &&
           text.ends_with(rest);
}

}  // namespace

TEST_CASE("every bad file is refused with exactly the errors that it expects") {
    const std::vector<fs::path> files = toml_files(root / "tests/config/bad");
    REQUIRE(files.size() > 50);
    for (const fs::path& file : files) {
        const LoadResult result = load_plan(file.string(), sonde::probes::kinds());
        std::vector<std::string> expected = expected_errors(file);
        std::vector<std::string> found = found_errors(file, result.diagnostics);
        std::sort(expected.begin(), expected.end());
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        const std::string text = result.diagnostics.text();
        CAPTURE(file.string());
        CAPTURE(text);
        CHECK_FALSE(result.plan);
        CHECK_FALSE(expected.empty());
        CHECK(std::equal(expected.begin(), expected.end(), found.begin(), found.end(), matches));
        CHECK(text.find("s3cr3t") == std::string::npos);
    }
}

TEST_CASE("every good file loads") {
    for (const fs::path& file : toml_files(root / "tests/config/good")) {
        const LoadResult result = load_plan(file.string(), sonde::probes::kinds());
        CAPTURE(file.string());
        CHECK(result.diagnostics.text() == "");
        CHECK(result.plan);
    }
}

TEST_CASE("every example loads, beside the secrets and certificates that it names") {
    REQUIRE(::setenv("ENVIRONMENT", "test", 1) == 0);  // full.toml reads it
    for (const fs::path& file : {root / "config/examples/minimal.toml",
                                 root / "config/examples/full.toml",
                                 root / "config/examples/kubernetes/sonde.toml",
                                 root / "config/default.toml"}) {
        const LoadResult result = load_plan(file.string(), sonde::probes::kinds());
        CAPTURE(file.string());
        CHECK(result.diagnostics.text() == "");
        REQUIRE(result.plan);
        CHECK(result.plan->size() > 0);
    }
}

TEST_CASE("equal values of which another one wins are other settings") {
    const LoadResult result =
        load_plan((root / "tests/config/good/bodies.toml").string(), sonde::probes::kinds());
    REQUIRE(result.plan);
    const auto probe_of = [&](std::string_view name) {
        for (const JobPtr& job : result.plan->jobs()) {
            if (job->target.name == name) {
                return job->probe;
            }
        }
        return decltype(Job::probe){};
    };
    REQUIRE(probe_of("file over text"));
    CHECK(probe_of("file over text") != probe_of("text over file"));
    CHECK(probe_of("text over file") == probe_of("the same again"));
}

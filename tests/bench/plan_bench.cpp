// How long a plan of many targets takes to load and to reload, and how much memory it keeps.
// plan_bench [TARGETS [FILES]]: name, url and module for each target.
#include "config/document.hpp"
#include "exporter/plan/plan.hpp"

#include "tests/support/temp_dir.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::size_t heap_bytes() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

std::string targets(std::size_t first, std::size_t count) {
    std::string out;
    for (std::size_t i = first; i < first + count; ++i) {
        const std::string number = std::to_string(i);
        out += "[[target]]\nname = \"shop-" + number + "\"\nurl = \"https://shop-" + number +
               ".example/health\"\nmodule = \"api\"\n\n";
    }
    return out;
}

std::string file_name(std::size_t index) {
    return "targets.d/" + std::to_string(1000 + index) + ".toml";
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    const std::size_t files = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 100;
    const std::size_t each = count / files;
    const sonde::tests::TempDir directory;
    const std::string config =
        directory.write("sonde.toml",
                        "[engine]\ntargets_dir = \"targets.d\"\n[modules.api]\ntimeout = "
                        "\"5s\"\nlabels = { team = \"web\" }\n");
    for (std::size_t f = 0; f < files; ++f) {
        directory.write(file_name(f), targets(f * each, each));
    }

    double parse = 0;
    for (std::size_t f = 0; f < files; ++f) {
        const std::string text = targets(f * each, each);
        sonde::config::Diagnostics diagnostics;
        const auto start = Clock::now();
        { const auto document = sonde::config::Document::parse(text, {}, diagnostics); }
        parse += seconds_since(start);
    }

    const std::size_t before = heap_bytes();
    auto start = Clock::now();
    auto loaded = sonde::exporter::load_plan(config, sonde::probes::kinds());
    const double load = seconds_since(start);
    if (!loaded.plan) {
        std::fputs(loaded.diagnostics.text().c_str(), stderr);
        return 1;
    }
    const std::size_t kept = heap_bytes() - before;

    directory.write(file_name(files / 2), targets(files / 2 * each, each) + "# changed\n");
    start = Clock::now();
    const auto comment = sonde::exporter::load_plan(config, sonde::probes::kinds(), loaded.plan);
    const auto no_difference = sonde::exporter::diff(loaded.plan.get(), *comment.plan);
    const double one_file = seconds_since(start);

    directory.write(file_name(files / 2), targets(count, each));
    start = Clock::now();
    const auto replaced = sonde::exporter::load_plan(config, sonde::probes::kinds(), comment.plan);
    const auto difference = sonde::exporter::diff(comment.plan.get(), *replaced.plan);
    const double other_targets = seconds_since(start);

    start = Clock::now();
    const auto same = sonde::exporter::load_plan(config, sonde::probes::kinds(), replaced.plan);
    const double nothing = seconds_since(start);

    struct rusage usage {};

    ::getrusage(RUSAGE_SELF, &usage);
    std::printf("targets                 %zu in %zu files\n", loaded.plan->size(), files);
    std::printf("load                    %.2f s, of which toml++ %.2f s\n", load, parse);
    std::printf("memory                  %zu bytes a target, at most %ld MiB resident\n",
                kept / count,
                usage.ru_maxrss / 1024);
    std::printf(
        "reload, a comment added %.2f s, %zu unchanged\n", one_file, no_difference.unchanged);
    std::printf("reload, a file replaced %.2f s, %zu added, %zu removed\n",
                other_targets,
                difference.added.size(),
                difference.removed.size());
    std::printf("reload, nothing changed %.2f s\n", nothing);
    return same.plan == replaced.plan ? 0 : 1;
}

// Configuration files of one test and the plans made of them with the fake kinds.
#pragma once

#include "exporter/plan/plan.hpp"

#include "tests/exporter/plan/fake_kinds.hpp"
#include "tests/support/temp_dir.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sonde::exporter::test {

class PlanFiles {
public:
    void write(std::string_view name, std::string_view text) const { directory_.write(name, text); }

    /// The errors with the directory cut off, so that lines begin with the file's name.
    [[nodiscard]] std::string errors(const LoadResult& result) const {
        std::string text = result.diagnostics.text();
        const std::string prefix = directory_.path().string() + "/";
        for (std::size_t at = text.find(prefix); at != std::string::npos;
             at = text.find(prefix, at)) {
            text.erase(at, prefix.size());
        }
        return text;
    }

    /// Loads sonde.toml on top of the plan of the last good load.
    LoadResult load() {
        LoadResult result =
            load_plan((directory_.path() / "sonde.toml").string(), fake_kinds(), plan);
        if (result.plan) {
            plan = result.plan;
        }
        return result;
    }

    /// Loads `text` as the only file and returns its errors.
    std::string errors_of(std::string_view text) {
        write("sonde.toml", text);
        return errors(load());
    }

    /// The job of a name in the current plan; null: none.
    [[nodiscard]] JobPtr job(std::string_view name) const {
        JobPtr found;
        plan->for_each([&](const JobPtr& one) { found = one->target.name == name ? one : found; });
        return found;
    }

    [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }

    std::shared_ptr<const Plan> plan;

private:
    tests::TempDir directory_;
};

[[nodiscard]] inline const FakeProbe& fake(const JobPtr& job) {
    return dynamic_cast<const FakeProbe&>(*job->probe);
}

}  // namespace sonde::exporter::test

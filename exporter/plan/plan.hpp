// The plan: what the configuration files mean, as jobs. Made by load_plan, immutable, replaced by a
// reload. Owns no schedule; what a reload changes for the engine is said by diff.
#pragma once

#include "config/diagnostics.hpp"
#include "config/service.hpp"
#include "exporter/plan/job.hpp"
#include "exporter/plan/probe_pool.hpp"
#include "probes/digest.hpp"
#include "probes/kinds/kinds.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde::exporter {

using JobPtr = std::shared_ptr<const Job>;

/// A file that settings were taken from (a secret, a certificate) and what was in it.
struct InputFile {
    std::string path;
    probes::Digest content;
};

/// One configuration file and the jobs of its targets, in its order. Shared by the plans of reloads
/// that did not change it.
struct PlanFile {
    std::string path;
    std::string label;  // as errors name it
    probes::Digest content{};
    std::vector<InputFile>
        inputs;  // read by its targets themselves, not through modules or defaults
    std::vector<JobPtr> jobs;
    std::vector<std::uint32_t> lines;  // of each job's [[target]]
};

/// What targets inherit from a module and [defaults], or from [defaults] alone: the decoded form.
struct Inherited {
    std::shared_ptr<const std::string> module;  // null: [defaults] alone
    const probes::Kind* kind = nullptr;         // named by the module (or defaults); null: none
    std::chrono::nanoseconds timeout{};
    /// One for each kind that was asked for. A null probe: its settings need a target's keys to be
    /// whole.
    std::vector<std::pair<const probes::Kind*, std::shared_ptr<const probes::Probe>>> probes;
};

class Plan {
public:
    /// Everything that a plan is; set by the loader.
    struct Parts {
        config::Service service;
        std::span<const probes::Kind> kinds;
        std::vector<std::shared_ptr<const PlanFile>> files;  // the config file first
        std::map<std::string, Inherited, std::less<>>
            inherited;                         // by module; "" is [defaults] alone
        probes::Digest shared{};               // of [defaults] and all modules as written
        std::vector<InputFile> shared_inputs;  // what they read
        std::shared_ptr<ProbePool> pool;
    };

    explicit Plan(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] const config::Service& service() const { return parts_.service; }

    [[nodiscard]] const Parts& parts() const { return parts_; }

    /// How many jobs there are.
    [[nodiscard]] std::size_t size() const;

    /// Calls `visit` for every job, in the order of files and targets.
    void for_each(const std::function<void(const JobPtr&)>& visit) const;

    /// All jobs, in the same order.
    [[nodiscard]] std::vector<JobPtr> jobs() const;

    /// A job that is in no file, for `sonde probe URL` and `/probe`: `url` with what it inherits
    /// from `module` (empty: only [defaults]). Null, and the reason in `error`, when the two do not
    /// fit.
    [[nodiscard]] JobPtr job_for(std::string_view url,
                                 std::string_view module,
                                 std::string& error) const;

private:
    Parts parts_;
};

struct LoadResult {
    std::shared_ptr<const Plan> plan;  // null: the diagnostics say why. May be the old plan itself.
    config::Diagnostics diagnostics;
    /// Every path that was looked at, absolute: a change of one may change (or mend) the plan.
    std::vector<std::string> watch;
    std::size_t files_parsed = 0;  // targets of the others were kept as they are
};

/// Reads the configuration. Blocks for as long as the files take; call it on no worker. `old` (may
/// be null) lends what did not change: jobs of files with the same content, equal jobs, equal
/// probes. When `stop` is asked for, the load ends early with a diagnostic that says so.
[[nodiscard]] LoadResult load_plan(const std::string& config_file,
                                   std::span<const probes::Kind> kinds,
                                   const std::shared_ptr<const Plan>& old = nullptr,
                                   std::stop_token stop = {});

/// The plan of an empty config file.
[[nodiscard]] std::shared_ptr<const Plan> built_in_plan(std::span<const probes::Kind> kinds);

struct PlanDiff {
    std::vector<JobPtr> added;
    std::vector<JobPtr> removed;
    std::vector<std::pair<JobPtr, JobPtr>> changed;  // of the same name: before, after
    std::size_t unchanged = 0;                       // the same object in both
};

/// By name. `old` may be null: everything is added.
[[nodiscard]] PlanDiff diff(const Plan* old, const Plan& now);

}  // namespace sonde::exporter

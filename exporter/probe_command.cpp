#include "exporter/probe_command.hpp"

#include "exporter/engine/single_check.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/probe_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace sonde::exporter {

namespace {

/// The plan that modules come from: of the file that was named, of sonde.toml where there is one,
/// else the built-in one.
std::shared_ptr<const Plan> plan_for(const CommandLine& command) {
    if (!command.config_file_given && access(command.config_file.c_str(), F_OK) != 0) {
        return built_in_plan(probes::kinds());
    }
    LoadResult loaded = load_plan(command.config_file, probes::kinds());
    if (!loaded.plan) {
        fmt::print(stderr, "{}", loaded.diagnostics.text());
    }
    return loaded.plan;
}

}  // namespace

int run_probe_command(const CommandLine& command) {
    const auto plan = plan_for(command);
    if (!plan) {
        return 1;
    }
    std::string error;
    const JobPtr job = plan->job_for(command.probe_url, command.probe_module, error);
    if (!job) {
        fmt::print(stderr, "sonde probe: {}\n", error);
        return 1;
    }
    const SingleCheck check = run_single_check(*job, plan->service().engine);
    const ProbeReport report{job->shown_url.empty() ? job->target.url.show() : job->shown_url,
                             std::string{job->kind},
                             check.outcome,
                             check.trace};
    const bool colours = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == nullptr;
    fmt::print("{}", command.probe_json ? report_json(report) : report_text(report, colours));
    return check.outcome.result.success() ? 0 : 1;
}

}  // namespace sonde::exporter

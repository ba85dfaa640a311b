#include "exporter/probe_command.hpp"

#include "exporter/engine/runner.hpp"
#include "exporter/log.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/probe_report.hpp"
#include "probes/net/connection_pool.hpp"
#include "probes/net/reactor.hpp"
#include "probes/net/resolver.hpp"

#include <boost/asio/io_context.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

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

Runner::Outcome run_once(const Job& job, const config::Engine& settings, probes::Trace& trace) {
    boost::asio::io_context context{1};
    const auto& clock = probes::net::Clock::system();
    probes::net::Reactor reactor{context};
    probes::net::Resolver resolver{reactor, clock, {.servers = settings.dns_servers}};
    probes::net::ConnectionPool connections{reactor, clock};
    Runner runner{{context.get_executor(), clock, reactor, resolver, connections}};
    std::optional<Runner::Outcome> outcome;
    runner.start(
        job.probe,
        std::make_shared<const probes::Target>(job.target),
        job.timeout,
        [&](Runner::Outcome&& ended) {
            outcome.emplace(std::move(ended));
            runner.close();
            connections.close();
            resolver.close();
            reactor.close();
        },
        &trace);
    context.run();
    return std::move(*outcome);
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
    probes::Trace trace;
    const Runner::Outcome outcome = run_once(*job, plan->service().engine, trace);
    const ProbeReport report{job->shown_url.empty() ? job->target.url.show() : job->shown_url,
                             std::string{job->kind},
                             outcome,
                             trace};
    const bool colours = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == nullptr;
    fmt::print("{}", command.probe_json ? report_json(report) : report_text(report, colours));
    return outcome.result.success() ? 0 : 1;
}

}  // namespace sonde::exporter

// The program: what was typed chooses what runs.

#include "exporter/app.hpp"
#include "exporter/command_line.hpp"
#include "exporter/probe_command.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

int run(const sonde::exporter::CommandLine& command) {
    using Action = sonde::exporter::CommandLine::Action;
    switch (command.action) {
        case Action::check_config:
            return sonde::exporter::check_config(command);
        case Action::probe:
            return sonde::exporter::run_probe_command(command);
        case Action::serve:
            break;
    }
    return sonde::exporter::serve(command);
}

}  // namespace

int main(int argc, char** argv) {
    const auto parsed = sonde::exporter::parse_command_line(argc, argv);
    if (!parsed.command) {
        return parsed.exit_code;
    }
    // Whoever stops reading our output must not end the service.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(*parsed.command);
    } catch (const std::exception& error) {
        fmt::print(stderr, "sonde: {}\n", error.what());
        return 1;
    }
}

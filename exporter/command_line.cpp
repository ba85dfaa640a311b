#include "exporter/command_line.hpp"

#include <CLI/CLI.hpp>

namespace sonde::exporter {

namespace {

void add_common(CLI::App& app, CommandLine& command) {
    app.add_option("--config.file", command.config_file, "The configuration file.")
        ->capture_default_str();
    app.add_option("--log.level", command.log_level, "debug, info, warn or error.")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
    app.add_option("--log.format", command.log_format, "logfmt or json.")
        ->check(CLI::IsMember({"logfmt", "json"}));
}

}  // namespace

ParsedCommandLine parse_command_line(int argc, char** argv) {
    CommandLine command;
    bool check_only = false;
    CLI::App app{"Sonde checks websites and endpoints and serves what it measured on /metrics.",
                 "sonde"};
    app.set_version_flag("--version", "sonde " SONDE_VERSION);
    app.set_help_flag("-h,--help", "Prints this help.");
    add_common(app, command);
    app.add_flag("--config.check",
                 check_only,
                 "Checks the configuration and exits: 0 when it is good, else 1.");
    app.add_option(
        "--web.listen-address",
        command.listen,
        "Where to serve, instead of [server] listen: host:port, [v6]:port, :port or unix:/path. "
        "May be repeated.");
    CLI::App* probe =
        app.add_subcommand("probe", "Runs one check and shows what happened: exit code 0 or 1.");
    probe->add_option("url", command.probe_url, "What to check.")->required();
    probe->add_option("--module", command.probe_module, "A module of the configuration file.");
    probe->add_flag("--json", command.probe_json, "For machines.");
    probe->fallthrough();
    app.require_subcommand(0, 1);
    app.allow_extras(false);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        // CLI11 ends --help and --version this way too, with exit code 0.
        return {std::nullopt, app.exit(end) == 0 ? 0 : 1};
    }
    command.config_file_given = app.count("--config.file") > 0;
    if (*probe) {
        command.action = CommandLine::Action::probe;
    } else if (check_only) {
        command.action = CommandLine::Action::check_config;
    }
    return {command, 0};
}

}  // namespace sonde::exporter

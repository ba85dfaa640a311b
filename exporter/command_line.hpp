// What the user typed. Owns flags and their help; runs nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sonde::exporter {

struct CommandLine {
    enum class Action { serve, check_config, probe };

    Action action = Action::serve;
    std::string config_file = "sonde.toml";
    bool config_file_given = false;
    std::vector<std::string> listen;       // empty: as the config says
    std::optional<std::string> log_level;  // nothing: as the config says
    std::optional<std::string> log_format;

    // `sonde probe`
    std::string probe_url;
    std::string probe_module;
    bool probe_json = false;
};

/// The command line, or the exit code with which the program is to end at once (after --help,
/// --version or an error, which have been printed).
struct ParsedCommandLine {
    std::optional<CommandLine> command;
    int exit_code = 0;
};

[[nodiscard]] ParsedCommandLine parse_command_line(int argc, char** argv);

}  // namespace sonde::exporter

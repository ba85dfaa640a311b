// `sonde probe URL`: one check from the command line, with nothing scheduled and nothing served.
#pragma once

#include "exporter/command_line.hpp"

namespace sonde::exporter {

/// Runs it and prints the report; the exit code: 0 success, 1 failure or an error in the input.
[[nodiscard]] int run_probe_command(const CommandLine& command);

}  // namespace sonde::exporter

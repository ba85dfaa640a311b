// The service put together: configuration, engine, HTTP server, signals and the order in which they
// end.
#pragma once

#include "exporter/command_line.hpp"

namespace sonde::exporter {

/// Serves until SIGTERM or SIGINT; the exit code. A configuration that cannot be used ends it with
/// 1 and all its errors on stderr.
[[nodiscard]] int serve(const CommandLine& command);

/// `--config.check`: prints all errors, or a line that says what is in the file.
[[nodiscard]] int check_config(const CommandLine& command);

}  // namespace sonde::exporter

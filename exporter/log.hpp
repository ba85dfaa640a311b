// Log lines with fields, as logfmt or JSON, through spdlog. Owns escaping; what is said is the
// caller's.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace sonde::exporter::log {

/// A name and a value of a line. Secrets have no business here: pass what config::Text::show()
/// gives.
struct Field {
    std::string_view key;
    std::string value;
};

enum class Format { logfmt, json };

/// Level: trace, debug, info, warn or error. Until it is called: info, logfmt. Lines go to stderr
/// on a thread of their own; when nobody reads them the oldest are dropped, never a worker stopped.
void configure(std::string_view level, Format format);

// Any thread.
/// Whether debug() writes anything: ask before making fields where that costs.
[[nodiscard]] bool debugging();
void debug(std::string_view message, std::initializer_list<Field> fields = {});
void info(std::string_view message, std::initializer_list<Field> fields = {});
void warn(std::string_view message, std::initializer_list<Field> fields = {});
void error(std::string_view message, std::initializer_list<Field> fields = {});

/// Writes what is still waiting.
void flush();

/// One line without its end, as it will be written: exposed for tests.
[[nodiscard]] std::string line(Format format,
                               std::string_view timestamp,
                               std::string_view level,
                               std::string_view message,
                               std::initializer_list<Field> fields);

}  // namespace sonde::exporter::log

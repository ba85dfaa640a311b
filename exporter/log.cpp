#include "exporter/log.hpp"

#include "exporter/web/json.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

namespace sonde::exporter::log {

namespace {

std::atomic<Format> current_format{Format::logfmt};

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> made = [] {
        spdlog::init_thread_pool(8192, 1);
        auto fresh = spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>("sonde");
        fresh->set_pattern("%v");
        return fresh;
    }();
    return *made;
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    out += c;
                }
        }
    }
}

bool is_bare_word(std::string_view text) {
    return !text.empty() && std::ranges::none_of(text, [](unsigned char c) {
        return c <= ' ' || c == '"' || c == '=' || c == '\\';
    });
}

void append_pair(std::string& out, Format format, std::string_view key, std::string_view value) {
    if (format == Format::json) {
        out += out.empty() ? '{' : ',';
        append_json(out, key);
        out += ':';
        append_json(out, value);
        return;
    }
    if (!out.empty()) {
        out += ' ';
    }
    out += key;
    out += '=';
    if (is_bare_word(value)) {
        out += value;
    } else {
        out += '"';
        append_escaped(out, value);
        out += '"';
    }
}

void write(spdlog::level::level_enum level,
           std::string_view message,
           std::initializer_list<Field> fields) {
    spdlog::logger& out = logger();
    if (!out.should_log(level)) {
        return;
    }
    const auto now = std::chrono::system_clock::now();
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() %
        1000;
    const std::string timestamp =
        fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                    fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                    milliseconds);
    const std::string_view name = level == spdlog::level::debug  ? "debug"
                                  : level == spdlog::level::info ? "info"
                                  : level == spdlog::level::warn ? "warn"
                                                                 : "error";
    out.log(level, "{}", line(current_format, timestamp, name, message, fields));
}

}  // namespace

std::string line(Format format,
                 std::string_view timestamp,
                 std::string_view level,
                 std::string_view message,
                 std::initializer_list<Field> fields) {
    std::string out;
    append_pair(out, format, "ts", timestamp);
    append_pair(out, format, "level", level);
    append_pair(out, format, "msg", message);
    for (const Field& field : fields) {
        append_pair(out, format, field.key, field.value);
    }
    if (format == Format::json) {
        out += '}';
    }
    return out;
}

void configure(std::string_view level, Format format) {
    current_format = format;
    logger().set_level(spdlog::level::from_str(std::string{level}));
}

bool debugging() {
    return logger().should_log(spdlog::level::debug);
}

void debug(std::string_view message, std::initializer_list<Field> fields) {
    write(spdlog::level::debug, message, fields);
}

void info(std::string_view message, std::initializer_list<Field> fields) {
    write(spdlog::level::info, message, fields);
}

void warn(std::string_view message, std::initializer_list<Field> fields) {
    write(spdlog::level::warn, message, fields);
}

void error(std::string_view message, std::initializer_list<Field> fields) {
    write(spdlog::level::err, message, fields);
}

void flush() {
    spdlog::shutdown();
}

}  // namespace sonde::exporter::log

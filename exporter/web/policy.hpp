// Content-Security-Policy for pages with a style or script of their own inside.
#pragma once

#include <string>
#include <string_view>

namespace sonde::exporter {

/// The source that allows exactly this text between its tags: "'sha256-...'".
[[nodiscard]] std::string inline_source(std::string_view text);

}  // namespace sonde::exporter

// The debug page: one check as HTML, without a script. Owns layout and escaping.
#pragma once

#include "exporter/probe_report.hpp"

#include <string>
#include <string_view>

namespace sonde::exporter {

/// `target`: its name. Whatever is in the report is text on the page, never markup.
[[nodiscard]] std::string probe_page(const ProbeReport& report, std::string_view target);

/// The page's Content-Security-Policy: its own style and nothing else.
[[nodiscard]] const std::string& probe_page_policy();

}  // namespace sonde::exporter

// The files of this folder as they are in the binary; embed.cmake makes the source file.
#pragma once

#include <string_view>

namespace sonde::exporter::ui {

extern const std::string_view landing_page;  // index.html
extern const std::string_view probe_style;   // probe.css
extern const std::string_view icon;          // icon.svg

}  // namespace sonde::exporter::ui

// Base64 as header fields carry it (RFC 4648 section 4).
#pragma once

#include <string>
#include <string_view>

namespace sonde::probes::http {

[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace sonde::probes::http

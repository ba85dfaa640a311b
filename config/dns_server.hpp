// A name server as a configuration names it.
#pragma once

#include <string_view>

namespace sonde::config {

/// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or "[2001:db8::53]:5353"; port 1 to 65535. A
/// host name is none: nothing could look it up.
[[nodiscard]] bool is_dns_server(std::string_view text);

}  // namespace sonde::config

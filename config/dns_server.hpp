// Name servers as a configuration names them.
#pragma once

#include "config/table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sonde::config {

/// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or "[2001:db8::53]:5353"; port 1 to 65535. A
/// host name is none: nothing could look it up.
[[nodiscard]] bool is_dns_server(std::string_view text);

/// A list of them. False when anything was wrong; what, is in the table's diagnostics.
[[nodiscard]] bool read_dns_servers(Table& table, Key key, std::vector<std::string>& servers);

}  // namespace sonde::config

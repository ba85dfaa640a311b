// Sockets on loopback addresses with ports that the kernel chooses, for the test servers.
#pragma once

#include <cstdint>

namespace sonde::tests {

/// A bound socket (SOCK_STREAM or SOCK_DGRAM, close-on-exec) on 127.0.0.1 or [::1]. Throws
/// std::system_error.
[[nodiscard]] int bind_loopback(int type, bool v6 = false);
[[nodiscard]] std::uint16_t port_of(int socket);

}  // namespace sonde::tests

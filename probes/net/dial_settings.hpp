// How a connection is opened: which of a name's addresses is taken, from where, and who is asked
// for them. The same keys for every kind of probe that connects; read from the configuration here.
#pragma once

#include "config/table.hpp"
#include "probes/net/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sonde::probes::net {

enum class IpProtocol : std::uint8_t { any, ip4, ip6 };

/// Where a connection comes from.
struct LocalEnd {
    std::optional<Endpoint> address;  // port 0; nothing: the kernel's choice
    std::string interface;            // SO_BINDTODEVICE; empty: any
};

struct DialSettings {
    IpProtocol prefer = IpProtocol::any;
    bool fallback = true;                  // to the other protocol, where the name has none of this
    std::optional<Endpoint> pinned;        // instead of asking for the target's own host
    std::vector<std::string> dns_servers;  // instead of the program's; config::is_dns_server()
    LocalEnd local;

    /// The address to connect to; nothing when none may be used. Without a preference that is the
    /// first (RFC 6724); a source address takes addresses of its own protocol only.
    [[nodiscard]] std::optional<Endpoint> choose(std::span<const Endpoint> addresses) const;

    /// All that may be connected to, in their order.
    [[nodiscard]] std::vector<Endpoint> usable(std::span<const Endpoint> addresses) const;

    /// What choose() wants, in words: "IPv6".
    [[nodiscard]] std::string wanted() const;
};

/// Reads and documents the keys. False when anything was wrong; what, is in the table's
/// diagnostics.
[[nodiscard]] bool read_dial_settings(config::Table& table, DialSettings& settings);

}  // namespace sonde::probes::net

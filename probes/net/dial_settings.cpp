#include "probes/net/dial_settings.hpp"

#include "config/dns_server.hpp"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace sonde::probes::net {

namespace {

using config::Table;

bool read_literal(Table& table, config::Key key, std::optional<Endpoint>& endpoint) {
    std::string text;
    if (!table.read(key, text)) {
        return !table.origin(key.name);
    }
    endpoint = Endpoint::from_literal(text);
    if (!endpoint) {
        table.error(key.name, "must be an IP address, such as 192.0.2.7 or 2001:db8::7");
    }
    return endpoint.has_value();
}

}  // namespace

std::optional<Endpoint> DialSettings::choose(std::span<const Endpoint> addresses) const {
    const auto first_of = [&](bool v6) {
        return std::ranges::find_if(addresses,
                                    [v6](const Endpoint& each) { return each.is_v6() == v6; });
    };
    if (local.address) {
        const auto found = first_of(local.address->is_v6());
        return found != addresses.end() ? std::optional{*found} : std::nullopt;
    }
    if (prefer != IpProtocol::any) {
        const auto found = first_of(prefer == IpProtocol::ip6);
        if (found != addresses.end() || !fallback) {
            return found != addresses.end() ? std::optional{*found} : std::nullopt;
        }
    }
    return addresses.empty() ? std::nullopt : std::optional{addresses.front()};
}

std::vector<Endpoint> DialSettings::usable(std::span<const Endpoint> addresses) const {
    std::vector<Endpoint> all{addresses.begin(), addresses.end()};
    const bool one_kind = local.address || (prefer != IpProtocol::any && !fallback);
    if (one_kind) {
        const bool v6 = local.address ? local.address->is_v6() : prefer == IpProtocol::ip6;
        std::erase_if(all, [v6](const Endpoint& each) { return each.is_v6() != v6; });
    }
    return all;
}

std::string DialSettings::wanted() const {
    const bool v6 = local.address ? local.address->is_v6() : prefer == IpProtocol::ip6;
    return v6 ? "IPv6" : "IPv4";
}

bool read_dial_settings(Table& table, DialSettings& settings) {
    static constexpr std::array<std::string_view, 3> words{"any", "ip4", "ip6"};
    std::string word = "any";
    bool good = true;
    if (table.read_word({"ip_protocol",
                         "Which addresses of the host are preferred; `any`: the first (RFC 6724)."},
                        word,
                        words)) {
        settings.prefer = static_cast<IpProtocol>(std::ranges::find(words, word) - words.begin());
    }
    table.read({"ip_protocol_fallback",
                "Whether a host without an address of `ip_protocol` is reached by the other."},
               settings.fallback);
    good = read_literal(table,
                        {"resolve",
                         "IP address to connect to instead of what the url's host resolves to. "
                         "Host, SNI and the certificate's check keep the name."},
                        settings.pinned) &&
           good;
    good = read_literal(table,
                        {"source_address",
                         "Local IP address to connect from; addresses of the other protocol are "
                         "not used then."},
                        settings.local.address) &&
           good;
    table.read({"source_interface",
                "Network interface to connect through, such as `eth0`; before Linux 5.7 this needs "
                "CAP_NET_RAW."},
               settings.local.interface);
    if (settings.local.interface.size() >= IFNAMSIZ) {
        table.error("source_interface",
                    "must have at most " + std::to_string(IFNAMSIZ - 1) + " characters");
        good = false;
    }
    good = config::read_dns_servers(
               table,
               {"dns_servers",
                "Name servers that are asked for this target instead of the program's; as in "
                "`[engine]`."},
               settings.dns_servers) &&
           good;
    return good;
}

}  // namespace sonde::probes::net

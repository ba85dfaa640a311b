// The HTTP proxy of an http check: where it is, what it is told, and for which hosts it is not
// asked. Read from the configuration here; tunnel.cpp goes through it.
#pragma once

#include "config/table.hpp"
#include "probes/url.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sonde::probes::http {

class ProxySpec {
public:
    using Network = std::variant<boost::asio::ip::network_v4, boost::asio::ip::network_v6>;

    /// A host, a domain or a network that is asked without the proxy.
    struct Exception {
        std::string host;                     // in lower case; "*": all
        std::optional<unsigned> port = {};    // nothing: any
        std::optional<Network> network = {};  // what `host` is, when it is an address or a network
    };

    /// An entry of no_proxy: `*`, a host, a domain that hosts are in, an IP address or a network
    /// (CIDR), each with or without a port. False: it is none of these.
    bool add_exception(std::string_view text);

    /// Whether a request for `target` goes through the proxy: no exception matches it. Names are
    /// not looked up for that.
    [[nodiscard]] bool is_for(const Url& target) const;

    /// Whether what is sent for `target` goes through a tunnel that the proxy opens; it passes a
    /// request on otherwise.
    [[nodiscard]] bool tunnels(const Url& target) const { return target.scheme() == "https"; }

    Url url;
    bool is_secret = false;    // the url is: it is not shown
    std::string header_lines;  // for the proxy only, each line with its CRLF; may hold secrets

private:
    std::vector<Exception> exceptions_;
};

/// Reads and documents the keys. False when anything was wrong; what, is in the table's
/// diagnostics. `proxy` stays null without `proxy_url`.
[[nodiscard]] bool read_proxy(config::Table& table, std::shared_ptr<const ProxySpec>& proxy);

/// RFC 9110 section 9.3.6: asks for a tunnel to the host and port of `target`.
[[nodiscard]] std::string connect_request(const ProxySpec& proxy, const Url& target);

}  // namespace sonde::probes::http

// The proxies of an http check: where they are, what they are told, and for which hosts they are
// not asked. Read from the configuration here; tunnel.cpp goes through it.
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
    [[nodiscard]] bool tunnels(const Url& target) const {
        return speaks_socks() || target.scheme() == "https";
    }

    /// Otherwise HTTP.
    [[nodiscard]] bool speaks_socks() const { return url.scheme().starts_with("socks5"); }

    /// By what it differs from others; holds its secrets.
    [[nodiscard]] std::string identity() const;

    /// Those of a url, percent-encoded. What is wrong with them, in words; empty: nothing.
    [[nodiscard]] std::string set_socks_credentials(std::string_view userinfo);

    Url url;
    bool is_secret = false;         // the url is: it is not shown
    bool from_environment = false;  // and so not for this machine itself
    std::string username;           // for SOCKS5 (RFC 1929); empty: no authentication
    std::string password;
    std::string header_lines;  // for the proxy only, each line with its CRLF; may hold secrets

private:
    std::vector<Exception> exceptions_;
    std::string exception_texts_;  // each with a line end
};

/// By the scheme of what is asked for; null: none.
struct Proxies {
    std::shared_ptr<const ProxySpec> http;
    std::shared_ptr<const ProxySpec> https;

    /// Whether the settings name one, which then is for every url but its exceptions.
    [[nodiscard]] bool configured() const { return http && !http->from_environment; }

    /// The proxy that a request for `target` goes through; null: it goes there itself.
    [[nodiscard]] const ProxySpec* of(const Url& target) const;
};

/// Reads and documents the keys. False when anything was wrong; what, is in the table's
/// diagnostics.
[[nodiscard]] bool read_proxies(config::Table& table, Proxies& proxies);

/// RFC 9110 section 9.3.6: asks for a tunnel to the host and port of `target`.
[[nodiscard]] std::string connect_request(const ProxySpec& proxy, const Url& target);

}  // namespace sonde::probes::http

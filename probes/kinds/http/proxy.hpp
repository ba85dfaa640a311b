// The HTTP proxy of an http check: where it is, what it is told, and for which hosts it is not
// asked. Read from the configuration here; hop.cpp goes through it.
#pragma once

#include "config/table.hpp"
#include "probes/url.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::http {

struct ProxySpec {
    Url url;
    bool is_secret = false;    // the url is: it is not shown
    std::string header_lines;  // for the proxy only, each line with its CRLF; may hold secrets
    std::vector<std::string> no_proxy;

    /// Whether a request for `target` goes through the proxy: not when an entry of no_proxy is `*`,
    /// the host, a domain that it is in, its IP address, or a network (CIDR) that has it; with a
    /// port behind it, an entry is for that port only. Names are not looked up for it.
    [[nodiscard]] bool is_for(const Url& target) const;
};

/// Reads and documents the keys. False when anything was wrong; what, is in the table's
/// diagnostics. `proxy` stays null without `proxy_url`.
[[nodiscard]] bool read_proxy(config::Table& table, std::shared_ptr<const ProxySpec>& proxy);

/// RFC 9110 section 9.3.6: asks for a tunnel to the host and port of `target`.
[[nodiscard]] std::string connect_request(const ProxySpec& proxy, const Url& target);

}  // namespace sonde::probes::http

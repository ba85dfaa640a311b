#include "probes/kinds/http/proxy.hpp"

#include "probes/kinds/http/base64.hpp"
#include "probes/kinds/http/field_text.hpp"
#include "probes/url_text.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace sonde::probes::http {

namespace {

namespace ip = boost::asio::ip;
using config::Table;
using config::Text;

/// An entry without its port, "[v6]:port" and "host:port" included.
struct Entry {
    std::string_view host;
    std::optional<unsigned> port;
};

Entry split(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const bool bracketed = text.starts_with('[');
    if (colon == std::string_view::npos || (!bracketed && text.find(':') != colon) ||
        (bracketed && text.find(']') + 1 != colon)) {
        if (bracketed && text.ends_with(']')) {
            text = text.substr(1, text.size() - 2);
        }
        return {text, std::nullopt};
    }
    unsigned port = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data() + colon + 1, end, port).ptr != end) {
        return {text, std::nullopt};
    }
    std::string_view host = text.substr(0, colon);
    return {bracketed ? host.substr(1, host.size() - 2) : host, port};
}

bool is_in_network(std::string_view host, std::string_view network) {
    boost::system::error_code error;
    const ip::address address = ip::make_address(std::string{host}, error);
    if (error) {
        return false;
    }
    if (address.is_v4()) {
        const ip::network_v4 wanted = ip::make_network_v4(std::string{network}, error);
        return !error && ip::network_v4{address.to_v4(), wanted.prefix_length()}.canonical() ==
                             wanted.canonical();
    }
    const ip::network_v6 wanted = ip::make_network_v6(std::string{network}, error);
    return !error && ip::network_v6{address.to_v6(), wanted.prefix_length()}.canonical() ==
                         wanted.canonical();
}

bool is_same_address(std::string_view host, std::string_view other) {
    boost::system::error_code error;
    const ip::address left = ip::make_address(std::string{host}, error);
    const ip::address right = error ? left : ip::make_address(std::string{other}, error);
    return !error && left == right;
}

bool matches(const Entry& entry, std::string_view host, unsigned port) {
    if (entry.port && *entry.port != port) {
        return false;
    }
    if (entry.host.find('/') != std::string_view::npos) {
        return is_in_network(host, entry.host);
    }
    const std::string domain = url_lower(entry.host);
    if (domain.starts_with('.')) {
        return host.ends_with(domain);
    }
    return domain == "*" || host == domain || host.ends_with("." + domain) ||
           is_same_address(host, domain);
}

bool is_network(std::string_view text) {
    boost::system::error_code error;
    static_cast<void>(ip::make_network_v4(std::string{text}, error));
    if (error) {
        static_cast<void>(ip::make_network_v6(std::string{text}, error));
    }
    return !error;
}

bool read_no_proxy(Table& table, std::vector<std::string>& entries) {
    if (!table.read({"no_proxy",
                     "Hosts that are asked without the proxy: a host (and the domain below it), "
                     "`.domain` (only below it), an IP address, a network (`10.0.0.0/8`), or `*`; "
                     "each may have a `:port`."},
                    entries)) {
        return !table.origin("no_proxy");
    }
    bool good = true;
    for (const std::string& entry : entries) {
        const Entry parts = split(entry);
        const bool network = parts.host.find('/') != std::string_view::npos;
        if (parts.host.empty() || (network && !is_network(parts.host))) {
            table.error("no_proxy", "\"" + entry + "\" must be a host, an IP address or a network");
            good = false;
        }
    }
    return good;
}

bool read_headers(Table& table, std::string& lines) {
    std::map<std::string, Text> headers;
    table.read({"proxy_headers", "Header fields for the proxy alone, each a string or a secret."},
               headers,
               config::Names::any_case);
    bool good = true;
    for (const auto& [name, value] : headers) {
        if (!is_token(name)) {
            table.error_in("proxy_headers",
                           name,
                           "is no name of a header field (RFC 9110: letters, digits and -)");
            good = false;
        } else if (!is_field_value(value.reveal())) {
            table.error_in(
                "proxy_headers", name, "a header value must not contain a line break or NUL");
            good = false;
        }
        lines += name + ": " + value.reveal() + "\r\n";
    }
    return good;
}

}  // namespace

bool ProxySpec::is_for(const Url& target) const {
    return std::ranges::none_of(no_proxy, [&](const std::string& entry) {
        return matches(split(entry), target.host(), target.port());
    });
}

bool read_proxy(Table& table, std::shared_ptr<const ProxySpec>& proxy) {
    auto made = std::make_shared<ProxySpec>();
    Text text;
    const bool given = table.read({"proxy_url",
                                   "HTTP proxy to go through (`http://proxy.example:3128`): by "
                                   "CONNECT to https, by the whole url to http. User and password "
                                   "are sent as basic authentication."},
                                  text);
    bool good = given || !table.origin("proxy_url");
    good = read_headers(table, made->header_lines) && good;
    good = read_no_proxy(table, made->no_proxy) && good;
    if (!given) {
        return good;
    }
    std::string error;
    const auto url = Url::parse(text.reveal(), error);
    if (!url || url->scheme() != "http") {
        // What is wrong with a secret would tell of it.
        table.error(
            "proxy_url",
            text.is_secret() || url ? "must be the url of an HTTP proxy, with http://" : error);
        return false;
    }
    made->url = *url;
    made->is_secret = text.is_secret();
    if (const std::string_view userinfo = url->userinfo(); !userinfo.empty()) {
        std::string plain = url_unescape(userinfo);
        plain += plain.find(':') == std::string::npos ? ":" : "";
        made->header_lines += "Proxy-Authorization: Basic " + base64(plain) + "\r\n";
    }
    proxy = std::move(made);
    return good;
}

std::string connect_request(const ProxySpec& proxy, const Url& target) {
    // The authority of CONNECT always names the port.
    std::string authority = target.host_header();
    const bool bracketed = authority.starts_with('[');
    if (authority.find(':', bracketed ? authority.find(']') : 0) == std::string::npos) {
        authority += ':' + std::to_string(target.port());
    }
    return "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n" +
           proxy.header_lines + "\r\n";
}

}  // namespace sonde::probes::http

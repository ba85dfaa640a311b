#include "probes/kinds/http/proxy.hpp"

#include "probes/kinds/http/basic_auth.hpp"
#include "probes/kinds/http/field_text.hpp"
#include "probes/url_text.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace sonde::probes::http {

namespace {

namespace ip = boost::asio::ip;
using config::Table;
using config::Text;

/// "host:port", "[v6]:port" or either without the port.
ProxySpec::Exception split(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const bool bracketed = text.starts_with('[');
    if (colon == std::string_view::npos || (!bracketed && text.find(':') != colon) ||
        (bracketed && text.find(']') + 1 != colon)) {
        if (bracketed && text.ends_with(']')) {
            text = text.substr(1, text.size() - 2);
        }
        return {.host = url_lower(text)};
    }
    unsigned port = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data() + colon + 1, end, port).ptr != end) {
        return {.host = url_lower(text)};
    }
    const std::string_view host = text.substr(0, colon);
    return {.host = url_lower(bracketed ? host.substr(1, host.size() - 2) : host), .port = port};
}

std::optional<ip::address> address_of(std::string_view text) {
    boost::system::error_code error;
    const ip::address address = ip::make_address(std::string{text}, error);
    return error ? std::nullopt : std::optional{address};
}

/// Of an address ("10.1.2.3" is "10.1.2.3/32") or a network; nothing of anything else.
std::optional<ProxySpec::Network> network_of(const std::string& text) {
    if (const auto address = address_of(text)) {
        return address->is_v4() ? ProxySpec::Network{ip::network_v4{address->to_v4(), 32}}
                                : ProxySpec::Network{ip::network_v6{address->to_v6(), 128}};
    }
    boost::system::error_code error;
    const auto v4 = ip::make_network_v4(text, error);
    if (!error) {
        return v4.canonical();
    }
    error.clear();
    const auto v6 = ip::make_network_v6(text, error);
    return error ? std::nullopt : std::optional<ProxySpec::Network>{v6.canonical()};
}

bool has(const ProxySpec::Network& network, const ip::address& address) {
    if (const auto* v4 = std::get_if<ip::network_v4>(&network)) {
        return address.is_v4() &&
               ip::network_v4{address.to_v4(), v4->prefix_length()}.canonical() == *v4;
    }
    const auto& v6 = std::get<ip::network_v6>(network);
    return address.is_v6() && ip::network_v6{address.to_v6(), v6.prefix_length()}.canonical() == v6;
}

bool matches(const ProxySpec::Exception& entry, const Url& target) {
    if (entry.port && *entry.port != target.port()) {
        return false;
    }
    const std::string_view host = target.host();
    if (entry.network) {
        const auto address = address_of(host);
        return address && has(*entry.network, *address);
    }
    if (entry.host.starts_with('.')) {
        return host.ends_with(entry.host);
    }
    return entry.host == "*" || host == entry.host || host.ends_with("." + entry.host);
}

bool read_no_proxy(Table& table, ProxySpec& proxy) {
    std::vector<std::string> entries;
    if (!table.read({"no_proxy",
                     "Hosts that are asked without the proxy: a host (and the domain below it), "
                     "`.domain` (only below it), an IP address, a network (`10.0.0.0/8`), or `*`; "
                     "each may have a `:port`."},
                    entries)) {
        return !table.origin("no_proxy");
    }
    bool good = true;
    for (const std::string& entry : entries) {
        if (!proxy.add_exception(entry)) {
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
        good = check_field(table, "proxy_headers", name, value) && good;
        lines += name + ": " + value.reveal() + "\r\n";
    }
    return good;
}

}  // namespace

bool ProxySpec::add_exception(std::string_view text) {
    Exception entry = split(text);
    entry.network = network_of(entry.host);
    const bool good =
        entry.network || (!entry.host.empty() && entry.host.find('/') == std::string::npos);
    if (good) {
        exceptions_.push_back(std::move(entry));
    }
    return good;
}

bool ProxySpec::is_for(const Url& target) const {
    return std::ranges::none_of(exceptions_,
                                [&](const Exception& entry) { return matches(entry, target); });
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
    good = read_no_proxy(table, *made) && good;
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
        made->header_lines += "Proxy-Authorization: " + basic_auth(userinfo) + "\r\n";
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

#include "probes/kinds/http/proxy.hpp"

#include "probes/url_text.hpp"
#include "probes/wire/socks5.hpp"

#include <algorithm>
#include <charconv>

namespace sonde::probes::http {

namespace {

namespace ip = boost::asio::ip;

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

bool is_loopback(std::string_view host) {
    const auto address = address_of(host);
    return host == "localhost" || (address && address->is_loopback());
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

}  // namespace

bool ProxySpec::add_exception(std::string_view text) {
    Exception entry = split(text);
    entry.network = network_of(entry.host);
    const bool good =
        entry.network || (!entry.host.empty() && entry.host.find('/') == std::string::npos);
    if (good) {
        exceptions_.push_back(std::move(entry));
        exception_texts_.append(text) += '\n';
    }
    return good;
}

bool ProxySpec::is_for(const Url& target) const {
    if (from_environment && is_loopback(target.host())) {
        return false;
    }
    return std::ranges::none_of(exceptions_,
                                [&](const Exception& entry) { return matches(entry, target); });
}

std::string ProxySpec::identity() const {
    std::string all;
    const std::string origin = url.origin();
    for (const std::string_view part : {std::string_view{origin},
                                        url.userinfo(),
                                        std::string_view{header_lines},
                                        std::string_view{exception_texts_}}) {
        all += std::to_string(part.size()) + ':';
        all += part;
    }
    return all + (from_environment ? 'e' : '-');
}

std::string ProxySpec::set_socks_credentials(std::string_view userinfo) {
    const std::size_t colon = userinfo.find(':');
    username = url_unescape(userinfo.substr(0, colon));
    password = colon == std::string_view::npos ? "" : url_unescape(userinfo.substr(colon + 1));
    for (const std::string& problem :
         {wire::check_socks5_user(username), wire::check_socks5_password(password)}) {
        if (!problem.empty() && !username.empty()) {
            return problem;
        }
    }
    if (username.empty() != password.empty()) {
        return "SOCKS5 takes a user and a password, or neither";
    }
    return {};
}

const ProxySpec* Proxies::of(const Url& target) const {
    const auto& proxy = target.scheme() == "https" ? https : http;
    return proxy && proxy->is_for(target) ? proxy.get() : nullptr;
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

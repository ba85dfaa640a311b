#include "config/dns_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace sonde::config {

namespace {

bool is_ip(int family, std::string_view text) {
    in6_addr unused{};
    return inet_pton(family, std::string{text}.c_str(), &unused) == 1;
}

/// ":53", or nothing.
bool is_port_or_nothing(std::string_view text) {
    if (text.empty()) {
        return true;
    }
    unsigned number = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + 1, last, number);
    return text.front() == ':' && error == std::errc{} && end == last && number > 0 &&
           number <= 65535;
}

}  // namespace

bool is_dns_server(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        return end != std::string_view::npos && is_ip(AF_INET6, text.substr(1, end - 1)) &&
               is_port_or_nothing(text.substr(end + 1));
    }
    if (is_ip(AF_INET6, text)) {
        return true;
    }
    const std::size_t colon = std::min(text.find(':'), text.size());
    return is_ip(AF_INET, text.substr(0, colon)) && is_port_or_nothing(text.substr(colon));
}

bool read_dns_servers(Table& table, Key key, std::vector<std::string>& servers) {
    if (!table.read(key, servers)) {
        return !table.origin(key.name);
    }
    bool good = true;
    for (const std::string& server : servers) {
        if (!is_dns_server(server)) {
            table.error(key.name, "\"" + server + "\" must be an IP address, or one with a port");
            good = false;
        }
    }
    return good;
}

}  // namespace sonde::config

#include "probes/net/endpoint.hpp"

#include <arpa/inet.h>
#include <net/if.h>

#include <array>
#include <charconv>
#include <cstring>

namespace sonde::probes::net {

std::optional<Endpoint> Endpoint::from(const sockaddr* address) {
    Endpoint endpoint;
    if (address->sa_family == AF_INET) {
        std::memcpy(&endpoint.storage_.v4, address, sizeof endpoint.storage_.v4);
    } else if (address->sa_family == AF_INET6) {
        std::memcpy(&endpoint.storage_.v6, address, sizeof endpoint.storage_.v6);
    } else {
        return std::nullopt;
    }
    return endpoint;
}

std::optional<Endpoint> Endpoint::from_literal(std::string_view literal) {
    const std::size_t percent = literal.find('%');
    const std::string address{literal.substr(0, percent)};
    Endpoint endpoint;
    if (percent == std::string_view::npos &&
        inet_pton(AF_INET, address.c_str(), &endpoint.storage_.v4.sin_addr) == 1) {
        endpoint.storage_.v4.sin_family = AF_INET;
        return endpoint;
    }
    if (inet_pton(AF_INET6, address.c_str(), &endpoint.storage_.v6.sin6_addr) != 1) {
        return std::nullopt;
    }
    endpoint.storage_.v6.sin6_family = AF_INET6;
    if (percent != std::string_view::npos) {
        const std::string zone{literal.substr(percent + 1)};
        std::uint32_t scope = if_nametoindex(zone.c_str());
        if (scope == 0) {
            const char* end = zone.data() + zone.size();
            if (auto [stop, error] = std::from_chars(zone.data(), end, scope);
                error != std::errc{} || stop != end) {
                return std::nullopt;
            }
        }
        endpoint.storage_.v6.sin6_scope_id = scope;
    }
    return endpoint;
}

void Endpoint::set_port(std::uint16_t port) {
    (is_v6() ? storage_.v6.sin6_port : storage_.v4.sin_port) = htons(port);
}

std::uint16_t Endpoint::port() const {
    return ntohs(is_v6() ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

std::string_view Endpoint::bytes() const {
    if (is_v6()) {
        return {reinterpret_cast<const char*>(&storage_.v6.sin6_addr), 16};
    }
    return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), 4};
}

std::string Endpoint::address() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(storage_.base.sa_family, bytes().data(), text.data(), text.size());
    return text.data();
}

std::string Endpoint::text() const {
    return is_v6() ? "[" + address() + "]:" + std::to_string(port())
                   : address() + ":" + std::to_string(port());
}

}  // namespace sonde::probes::net

// An address and port as the kernel takes it: a value, for IPv4 and IPv6.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::probes::net {

class Endpoint {
public:
    Endpoint() = default;
    /// From a sockaddr_in or sockaddr_in6; nothing for other families.
    static std::optional<Endpoint> from(const sockaddr* address);
    /// An IPv4 or IPv6 literal (with zone, as in fe80::1%eth0); nothing when it is neither.
    static std::optional<Endpoint> from_literal(std::string_view literal);

    void set_port(std::uint16_t port);
    [[nodiscard]] std::uint16_t port() const;

    [[nodiscard]] bool is_v6() const { return storage_.base.sa_family == AF_INET6; }

    /// The 4 or 16 bytes of the address.
    [[nodiscard]] std::string_view bytes() const;
    /// "192.0.2.1" or "2001:db8::1".
    [[nodiscard]] std::string address() const;
    /// "192.0.2.1:80" or "[2001:db8::1]:80".
    [[nodiscard]] std::string text() const;

    [[nodiscard]] const sockaddr* data() const { return &storage_.base; }

    [[nodiscard]] socklen_t size() const {
        return is_v6() ? sizeof storage_.v6 : sizeof storage_.v4;
    }

private:
    union {
        sockaddr base;
        sockaddr_in v4;
        sockaddr_in6 v6;
    } storage_{};
};

}  // namespace sonde::probes::net

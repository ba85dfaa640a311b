// bind(2) to port 0.
#include "tests/support/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sonde::tests {

int bind_loopback(int type, bool v6) {
    const int socket = ::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
    if (socket < 0) {
        throw std::system_error(errno, std::generic_category(), "socket");
    }
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    const int result = v6 ? ::bind(socket, reinterpret_cast<sockaddr*>(&six), sizeof six)
                          : ::bind(socket, reinterpret_cast<sockaddr*>(&four), sizeof four);
    if (result < 0) {
        const int error = errno;
        ::close(socket);
        throw std::system_error(error, std::generic_category(), "bind to loopback");
    }
    return socket;
}

std::uint16_t port_of(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) < 0) {
        throw std::system_error(errno, std::generic_category(), "getsockname");
    }
    return ntohs(address.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                     : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace sonde::tests

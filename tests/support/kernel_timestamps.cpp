#include "tests/support/kernel_timestamps.hpp"

#include "tests/support/loopback.hpp"

#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace sonde::tests {

namespace {

bool next_datagram_is_stamped(int socket) {
    sockaddr_in self{};
    socklen_t size = sizeof self;
    getsockname(socket, reinterpret_cast<sockaddr*>(&self), &size);
    char byte = 'x';
    sendto(socket, &byte, 1, 0, reinterpret_cast<const sockaddr*>(&self), size);
    iovec vector{&byte, 1};
    alignas(cmsghdr) std::array<char, 256> control{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    return recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message) != nullptr;
}

}  // namespace

void await_kernel_timestamps() {
    static const int socket = [] {
        const int made = bind_loopback(SOCK_DGRAM);
        const int wanted = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
        setsockopt(made, SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted);
        return made;
    }();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (!next_datagram_is_stamped(socket)) {
        if (std::chrono::steady_clock::now() > give_up) {
            throw std::runtime_error{"the kernel stamps no arrivals"};
        }
    }
}

}  // namespace sonde::tests

// The socket half of a peer: reads and writes that can be stopped, and the record of what came.
#include "tests/support/peer.hpp"

#include <openssl/err.h>

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>

namespace sonde::tests {

std::vector<std::string> Conversation::hosts() const {
    std::vector<std::string> found;
    std::size_t at = 0;
    while (at < received.size()) {
        const std::size_t end = std::min(received.find("\r\n", at), received.size());
        std::string line = received.substr(at, end - at);
        std::string name = line.substr(0, 5);
        std::ranges::transform(
            name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (name == "host:") {
            const std::size_t begin = line.find_first_not_of(' ', 5);
            found.push_back(begin == std::string::npos ? "" : line.substr(begin));
        }
        at = end + 2;
    }
    return found;
}

Peer::Peer(int socket, const Latch& stop) : socket_(socket), stop_(stop) {
    // Pieces that a script sends apart shall travel apart.
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    std::array<char, NI_MAXHOST> text{};
    if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&peer),
                      size,
                      text.data(),
                      text.size(),
                      nullptr,
                      0,
                      NI_NUMERICHOST) == 0) {
        conversation_.peer_address = text.data();
    }
}

Peer::~Peer() {
    drop();
}

Conversation Peer::conversation() const {
    const std::lock_guard lock(mutex_);
    return conversation_;
}

Peer::Wait Peer::wait_for(short events) const {
    for (;;) {
        std::array<pollfd, 2> set{{{stop_.descriptor(), POLLIN, 0}, {socket_, events, 0}}};
        if (::poll(set.data(), set.size(), -1) < 0 && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "poll");
        }
        if (stop_.is_open()) {
            return Wait::stopped;
        }
        if (set[1].revents != 0) {
            return Wait::ready;
        }
    }
}

bool Peer::wait(const Latch& latch) {
    while (!latch.is_open()) {
        std::array<pollfd, 2> set{
            {{stop_.descriptor(), POLLIN, 0}, {latch.descriptor(), POLLIN, 0}}};
        ::poll(set.data(), set.size(), -1);
        if (stop_.is_open()) {
            return false;
        }
    }
    return true;
}

bool Peer::meets_fault(std::string_view bytes) {
    if (!fault_ || ++fault_->count != fault_->at) {
        return false;
    }
    switch (fault_->how) {
        case Fault::How::close:
            break;
        case Fault::How::reset:
            reset();
            return true;
        case Fault::How::half:
            send_bytes(bytes.substr(0, bytes.size() / 2));
            break;
        case Fault::How::garbage:
            send_bytes("\x01\x02 what nobody says \xff\r\n\r\n");
            break;
    }
    drop();
    return true;
}

bool Peer::send_raw(std::string_view bytes) {
    return !meets_fault(bytes) && send_bytes(bytes);
}

bool Peer::send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
        if (socket_ < 0 || wait_for(POLLOUT) == Wait::stopped) {
            return false;
        }
        const ssize_t sent =
            ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno != EAGAIN && errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool Peer::receive_raw(std::string& into) {
    if (meets_fault({})) {
        return false;
    }
    std::array<char, 16384> buffer;
    for (;;) {
        if (socket_ < 0 || wait_for(POLLIN) == Wait::stopped) {
            return false;
        }
        const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got > 0) {
            into.append(buffer.data(), static_cast<std::size_t>(got));
            return true;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        const std::lock_guard lock(mutex_);
        (got == 0 ? conversation_.peer_closed : conversation_.peer_reset) = true;
        return false;
    }
}

bool Peer::drain() {
    for (;;) {
        int unacknowledged = 0;
        if (socket_ < 0 || ::ioctl(socket_, SIOCOUTQ, &unacknowledged) < 0) {
            return false;
        }
        if (unacknowledged == 0) {
            return true;
        }
        // The kernel has no event for "all acknowledged"; on loopback this is a matter of
        // microseconds.
        pollfd stop{stop_.descriptor(), POLLIN, 0};
        ::poll(&stop, 1, 1);
        if (stop_.is_open()) {
            return false;
        }
    }
}

bool Peer::send(std::string_view bytes) {
    if (!ssl_ || cut_) {
        return send_raw(bytes);
    }
    // One record each call at most, since a memory BIO takes everything at once.
    while (!bytes.empty()) {
        const std::size_t piece = std::min<std::size_t>(bytes.size(), 16384);
        ERR_clear_error();
        if (SSL_write(ssl_.get(), bytes.data(), static_cast<int>(piece)) <= 0 || !flush_tls()) {
            return false;
        }
        bytes.remove_prefix(piece);
    }
    return true;
}

bool Peer::receive() {
    std::string raw;
    if (!receive_raw(raw)) {
        return false;
    }
    if (!ssl_) {
        const std::lock_guard lock(mutex_);
        conversation_.received += raw;
        return true;
    }
    if (cut_) {
        return true;  // handshake bytes, no application data
    }
    put_tls(raw);
    return decrypt();
}

std::optional<std::size_t> Peer::end_of_header(std::size_t count) {
    const std::lock_guard lock(mutex_);
    std::size_t at = 0;
    for (std::size_t found = 0; found < count; ++found) {
        at = conversation_.received.find("\r\n\r\n", at);
        if (at == std::string::npos) {
            return std::nullopt;
        }
        at += 4;
    }
    return at;
}

bool Peer::receive_requests(std::size_t count) {
    while (!end_of_header(count)) {
        if (!receive()) {
            return false;
        }
    }
    return true;
}

bool Peer::receive_body(std::size_t size) {
    const auto begin = end_of_header(requests());
    const auto have = [&] {
        const std::lock_guard lock(mutex_);
        return conversation_.received.size() - *begin;
    };
    while (begin && have() < size) {
        if (!receive()) {
            return false;
        }
    }
    return begin.has_value();
}

void Peer::shut_down_write() {
    ::shutdown(socket_, SHUT_WR);
}

void Peer::close() {
    if (socket_ >= 0 && ssl_ && !cut_ && SSL_is_init_finished(ssl_.get()) == 1) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        (void)flush_tls();  // the peer may be gone already
    }
    drop();
}

void Peer::drop() {
    if (socket_ >= 0) {
        ::close(socket_);
        socket_ = -1;
    }
}

void Peer::reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop();
}

}  // namespace sonde::tests

#include "probes/net/stream.hpp"

#include <boost/asio/error.hpp>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sonde::probes::net {

namespace {

boost::system::error_code last_error() {
    return {errno, boost::system::system_category()};
}

constexpr int receive_timestamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

void ask_for_arrival_times(int fd) {
    // A kernel that refuses leaves arrival() at the time of the read; nothing else depends on it.
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &receive_timestamps, sizeof receive_timestamps);
}

/// The first socket in the machine that wants timestamps makes the kernel patch its own code, and
/// the last one to go patches it back; one socket that always wants them keeps that out of the
/// checks.
void keep_timestamping_on() {
    static const int keeper = [] {
        const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ask_for_arrival_times(fd);
        return fd;
    }();
    static_cast<void>(keeper);
}

std::optional<UnixTime> kernel_arrival(msghdr& message) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
         control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_TIMESTAMPING) {
            scm_timestamping stamps{};
            std::memcpy(&stamps, CMSG_DATA(control), sizeof stamps);
            const auto& software = stamps.ts[0];
            if (software.tv_sec != 0) {
                return UnixTime{std::chrono::seconds{software.tv_sec} +
                                std::chrono::nanoseconds{software.tv_nsec}};
            }
        }
    }
    return std::nullopt;
}

bool bind_to(int fd, const LocalEnd& local) {
    if (!local.interface.empty() &&
        setsockopt(fd,
                   SOL_SOCKET,
                   SO_BINDTODEVICE,
                   local.interface.data(),
                   static_cast<socklen_t>(local.interface.size())) != 0) {
        return false;
    }
    if (!local.address) {
        return true;
    }
    // The port is chosen with the peer in view: one address then has 28,000 for each peer, not for
    // all of them together.
    const int later = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later);
    return bind(fd, local.address->data(), local.address->size()) == 0;
}

}  // namespace

IoResult Stream::connect(const Endpoint& peer, const LocalEnd& local) {
    keep_timestamping_on();
    close();
    fd_ = ::socket(peer.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd_ < 0) {
        return IoResult::failed(last_error());
    }
    ask_for_arrival_times(fd_);
    local_end_failed_ = !bind_to(fd_, local);
    if (local_end_failed_) {
        return IoResult::failed(last_error());
    }
    opened_ = ClockReading::take(clock_);
    const bool pending = ::connect(fd_, peer.data(), peer.size()) != 0;
    if (pending && errno != EINPROGRESS) {
        return IoResult::failed(last_error());
    }
    if (auto error = watch_.start(fd_)) {
        return IoResult::failed(error);
    }
    return IoResult::wait_for(Direction::write);
}

IoResult Stream::connected(TcpInfo& info) {
    tcp_info kernel{};
    socklen_t size = sizeof kernel;
    if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &kernel, &size) != 0) {
        return IoResult::failed(last_error());
    }
    if (kernel.tcpi_state == TCP_SYN_SENT) {
        return IoResult::wait_for(Direction::write);
    }
    info = {std::chrono::microseconds{kernel.tcpi_rtt}, kernel.tcpi_total_retrans};
    if (kernel.tcpi_state == TCP_CLOSE) {
        int error = 0;
        size = sizeof error;
        getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        return IoResult::failed(
            {error != 0 ? error : ECONNRESET, boost::system::system_category()});
    }
    return {};
}

IoResult Stream::read(std::span<char> buffer) {
    iovec vector{buffer.data(), buffer.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(scm_timestamping))> control;
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = recvmsg(fd_, &message, 0);
    if (got < 0) {
        if (errno == EAGAIN) {
            return IoResult::wait_for(Direction::read);
        }
        return IoResult::failed(last_error());
    }
    if (got == 0) {
        return IoResult::failed(boost::asio::error::eof);
    }
    const ClockReading now = ClockReading::take(clock_);
    const auto stamp = kernel_arrival(message);
    const auto arrival = stamp ? to_monotonic(*stamp, opened_, now) : std::nullopt;
    arrival_from_kernel_ = arrival.has_value();
    arrival_ = arrival.value_or(now.monotonic);
    return IoResult::moved(static_cast<std::size_t>(got));
}

void Stream::give_up_after(std::chrono::nanoseconds time) {
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(time).count();
    const auto milliseconds = static_cast<unsigned>(rounded);
    setsockopt(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

IoResult Stream::write(std::span<const char> bytes) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno == EAGAIN) {
            return IoResult::wait_for(Direction::write);
        }
        return IoResult::failed(last_error());
    }
    return IoResult::moved(static_cast<std::size_t>(sent));
}

std::optional<TcpInfo> Stream::path() const {
    tcp_info kernel{};
    socklen_t size = sizeof kernel;
    if (fd_ < 0 || getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &kernel, &size) != 0) {
        return std::nullopt;
    }
    return TcpInfo{std::chrono::microseconds{kernel.tcpi_rtt}, kernel.tcpi_total_retrans};
}

void Stream::close() {
    if (fd_ >= 0) {
        watch_.stop();
        ::close(std::exchange(fd_, -1));
    }
}

}  // namespace sonde::probes::net

// A TCP connection of a check, with what the kernel knows about it: when bytes arrived and how long
// the path is. Plain bytes only; TLS is layered on it in tls_stream. Owns the descriptor; knows no
// protocol.
#pragma once

#include "probes/net/clock.hpp"
#include "probes/net/dial_settings.hpp"
#include "probes/net/endpoint.hpp"
#include "probes/net/reactor.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace sonde::probes::net {

/// What a non-blocking call came to: bytes moved, or which readiness to wait for, or an error.
/// End of stream is asio::error::eof.
struct IoResult {
    std::size_t bytes = 0;
    std::optional<Direction> wait;
    boost::system::error_code error;

    static IoResult moved(std::size_t bytes) { return {bytes, std::nullopt, {}}; }

    static IoResult wait_for(Direction direction) { return {0, direction, {}}; }

    static IoResult failed(boost::system::error_code error) { return {0, std::nullopt, error}; }
};

/// TCP_INFO (tcp(7)), as far as checks use it.
struct TcpInfo {
    std::chrono::microseconds rtt{};  // smoothed; right after connecting: of the handshake
    std::uint32_t retransmits = 0;    // total, SYNs included
};

/// All members are non-blocking and are used on the reactor's thread:
///     for (;;) {
///         IoResult io = stream.read(buffer);
///         if (!io.wait) break;
///         auto [aborted] = co_await stream.ready(*io.wait, as_tuple(use_awaitable));
///     }
class Stream {
public:
    Stream(Reactor& reactor, const Clock& clock) : watch_(reactor), clock_(clock) {}

    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    ~Stream() { close(); }

    /// Creates the socket and starts to connect; wait for Direction::write, then ask connected().
    [[nodiscard]] IoResult connect(const Endpoint& peer, const LocalEnd& local = {});

    /// Whether the error of connect() was that the local address or interface could not be had.
    [[nodiscard]] bool local_end_failed() const { return local_end_failed_; }

    /// After the wait: no error when the connection stands; connection_reset when it stood for a
    /// moment. `info` then has the handshake's RTT.
    [[nodiscard]] IoResult connected(TcpInfo& info);

    [[nodiscard]] IoResult read(std::span<char> buffer);
    [[nodiscard]] IoResult write(std::span<const char> bytes);

    /// Bytes that the peer's machine does not acknowledge for so long end the connection: the next
    /// read fails with ETIMEDOUT (TCP_USER_TIMEOUT).
    void give_up_after(std::chrono::nanoseconds time);

    template <typename Token>
    auto ready(Direction direction, Token&& token) {
        return watch_.wait(direction, std::forward<Token>(token));
    }

    /// When the bytes of the last successful read() reached this machine: the kernel's receive
    /// timestamp (SO_TIMESTAMPING), or the time of the read where the kernel gave none or the wall
    /// clock was set since the connection was opened.
    [[nodiscard]] TimePoint arrival() const { return arrival_; }

    /// Whether arrival() is the kernel's.
    [[nodiscard]] bool arrival_from_kernel() const { return arrival_from_kernel_; }

    [[nodiscard]] std::optional<TcpInfo> path() const;  // nothing once closed

    /// Closes at once; waits under way end with operation_aborted.
    void close();

private:
    Watch watch_;
    const Clock& clock_;
    int fd_ = -1;
    ClockReading opened_;
    TimePoint arrival_;
    bool arrival_from_kernel_ = false;
    bool local_end_failed_ = false;
};

}  // namespace sonde::probes::net

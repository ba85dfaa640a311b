// The time limit of whatever a client socket waits for at the moment.
// Owns one timer; which limit applies when is the connection's business.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace sonde::exporter {

/// Cancels the socket's operations when the time is over. (beast::basic_stream closes the socket
/// instead, and then there is no way to answer 408.) Used on the socket's executor only.
class HttpWatchdog {
public:
    using Socket = boost::asio::generic::stream_protocol::socket;

    explicit HttpWatchdog(Socket& socket);

    /// Starts anew with `limit` from now.
    void expect_within(std::chrono::nanoseconds limit);
    /// No limit until the next expect_within().
    void rest();

    /// The limit set last has passed: an operation that ended since did so in vain.
    [[nodiscard]] bool fired() const { return fired_; }

private:
    void arm(std::chrono::nanoseconds limit);

    Socket& socket_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<void> alive_ = std::make_shared<char>();
    bool fired_ = false;
};

}  // namespace sonde::exporter

// The second half of a hop: one request and its response on an open connection, timed. Judges only
// what keeps it from going on.
#pragma once

#include "probes/kinds/http/leg.hpp"
#include "probes/kinds/http/receiver.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace sonde::probes::http {

class Exchange {
public:
    /// `reused`: the connection carried a request before. What is passed outlives the exchange.
    Exchange(Leg& leg, Receiver& receiver, bool reused)
        : leg_(leg),
          receiver_(receiver),
          reused_(reused) {}

    /// False: the check has failed, or was_dead(). Cancellation: false at once.
    boost::asio::awaitable<bool> run();

    /// The connection was reused, and ended before a byte of the response came: it says nothing of
    /// the target, and the check has not failed.
    [[nodiscard]] bool was_dead() const { return was_dead_; }

    /// After run(): whether the response asks to be followed.
    [[nodiscard]] bool redirects() const { return redirects_; }

    /// After run(): the connection may carry another request.
    [[nodiscard]] bool is_reusable() const { return reusable_; }

private:
    boost::asio::awaitable<bool> send_http1();
    /// Until the connection may take more (write) or has an answer (read). Nothing: cancelled.
    boost::asio::awaitable<std::optional<net::Direction>> wait_to_send(net::Direction direction);
    boost::asio::awaitable<bool> receive();
    boost::asio::awaitable<bool> give_way(std::size_t received);

    [[nodiscard]] std::span<char> room() const;
    bool broke(const boost::system::error_code& error, Phase phase, std::string_view doing);
    bool ended(const boost::system::error_code& error);
    void note_arrival(bool first);
    void note_response();
    bool take(Receiver::State state);

    Leg& leg_;
    Receiver& receiver_;
    bool reused_;
    net::TimePoint request_began_;
    net::TimePoint first_byte_;
    net::TimePoint last_byte_;
    std::size_t work_ = 0;  // bytes received and decoded since others had their turn
    std::uint64_t decoded_ = 0;
    bool cut_short_ = false;  // the request's body was not sent to its end
    bool was_dead_ = false;
    bool redirects_ = false;
    bool reusable_ = false;
};

}  // namespace sonde::probes::http

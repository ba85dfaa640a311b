// One request and its response on a fresh connection: resolve, connect, TLS, request, answer, each
// timed. Owns the connection; follows nothing and judges only what keeps it from going on.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/kinds/http/receiver.hpp"
#include "probes/kinds/http/request.hpp"
#include "probes/net/connection.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace sonde::probes::http {

/// Destroying it closes the connection: after the verdict, which need not wait for it.
class Hop {
public:
    /// What is passed outlives the hop.
    Hop(Check& check, const Url& url, const RequestForm& form);

    /// Runs the hop. False: the check has failed, with its reason and every phase that ended.
    /// Cancellation: returns false at once.
    boost::asio::awaitable<bool> run();

    /// After run(): whether the response asks to be followed, and to where.
    [[nodiscard]] bool redirects() const { return redirects_; }

    [[nodiscard]] Receiver& receiver() { return *receiver_; }

private:
    boost::asio::awaitable<bool> resolve();
    boost::asio::awaitable<bool> connect();
    boost::asio::awaitable<bool> open_tunnel();
    boost::asio::awaitable<bool> secure();
    boost::asio::awaitable<bool> write_all(std::span<const char> bytes);
    boost::asio::awaitable<bool> send_request();
    boost::asio::awaitable<bool> receive();
    boost::asio::awaitable<bool> wait(net::Direction direction);
    boost::asio::awaitable<bool> give_way(std::size_t received);

    [[nodiscard]] std::span<char> room() const;
    bool ended(const boost::system::error_code& error);
    void note_arrival();

    bool inspect_tls(const std::string& name);
    void note_response();
    bool take(Receiver::State state);
    bool fail_resolve(const std::string& host, const std::string& why);
    bool fail_io(const boost::system::error_code& error, Phase phase, std::string_view doing);
    bool fail_local_end(const boost::system::error_code& error);
    bool fail_waiting(std::string_view for_what);
    [[nodiscard]] std::string peer() const;

    Check& check_;
    const Url& url_;
    const RequestForm& form_;
    const ProxySpec* proxy_;  // null: without
    net::Endpoint endpoint_;
    net::Connection connection_;
    PooledReceiver receiver_;
    net::TimePoint request_began_;
    net::TimePoint first_byte_;
    net::TimePoint last_byte_;
    std::size_t work_ = 0;  // bytes received and decoded since others had their turn
    std::uint64_t decoded_ = 0;
    bool connected_ = false;
    bool redirects_ = false;
};

}  // namespace sonde::probes::http

// The first half of a hop: from the url to a connection with the server, through a proxy where
// there is one, each phase timed. Sends the server nothing before its certificate is judged.
#pragma once

#include "probes/kinds/http/leg.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>
#include <string>

namespace sonde::probes::http {

class Opening {
public:
    /// `leg` outlives this. Its link is made by run().
    explicit Opening(Leg& leg) : leg_(leg) {}

    /// False: the check has failed, with its reason and every phase that ended. Cancellation:
    /// false at once.
    boost::asio::awaitable<bool> run();

private:
    boost::asio::awaitable<bool> resolve();
    boost::asio::awaitable<bool> connect();
    boost::asio::awaitable<bool> secure_proxy();
    boost::asio::awaitable<bool> open_tunnel();
    boost::asio::awaitable<bool> ask_http();
    boost::asio::awaitable<bool> ask_socks();
    boost::asio::awaitable<bool> secure();
    boost::asio::awaitable<bool> write_all(std::span<const char> bytes);
    boost::asio::awaitable<bool> handshake(net::TlsStream& tls, std::string_view with);

    [[nodiscard]] bool speaks_http2();
    bool inspect_tls(const std::string& name);
    bool fail_resolve(const std::string& host, const std::string& why);
    bool fail_local_end(const boost::system::error_code& error);

    Leg& leg_;
};

}  // namespace sonde::probes::http

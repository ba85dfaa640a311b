// What the two halves of a hop (opening a connection, exchanging request and response) share: whom
// they talk to, how they wait, and how a failure is told.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/kinds/http/link.hpp"
#include "probes/kinds/http/proxy.hpp"
#include "probes/kinds/http/request.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::probes::http {

struct Leg {
    Check& check;
    const Url& url;
    const RequestForm& form;
    const ProxySpec* proxy;  // null: without
    std::unique_ptr<Link> link = {};

    [[nodiscard]] net::Connection& connection() const { return link->connection; }

    /// The request is for the proxy, which passes it on; otherwise it goes to the server itself,
    /// through a tunnel or without a proxy.
    [[nodiscard]] bool is_passed_on() const { return proxy != nullptr && !proxy->tunnels(url); }

    /// Adds a phase from `began` to the arrival of what was read last.
    void phase_to_arrival(Phase phase, net::TimePoint began) const;

    /// False: cancelled.
    boost::asio::awaitable<bool> wait(net::Direction direction);

    /// For both directions; which came first. Nothing: cancelled.
    boost::asio::awaitable<std::optional<net::Direction>> wait_either();

    // Each returns false, so that one can return it.
    bool fail_io(const boost::system::error_code& error, Phase phase, std::string_view doing);
    bool fail_waiting(std::string_view for_what);

    /// The address that the connection leads to, for whoever watches.
    void show_address() const;

    /// Whom we talk to, for people: the url's host with its address, or the way through the proxy.
    [[nodiscard]] std::string peer() const;
};

}  // namespace sonde::probes::http

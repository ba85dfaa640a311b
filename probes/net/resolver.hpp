// Names to addresses for one worker, through c-ares: hosts file, search list and servers of
// resolv.conf. Nothing is cached and nothing asked twice behind the user's back: resends are
// counted.
#pragma once

#include "probes/net/clock.hpp"
#include "probes/net/endpoint.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sonde::probes::net {

class Reactor;

/// The answer to one question.
struct Resolution {
    std::vector<Endpoint> addresses;  // in the order of RFC 6724; port 0; empty on failure
    std::string error;                // for people: "NXDOMAIN: the name does not exist"
    bool cancelled = false;
};

class Resolver {
public:
    struct Options {
        std::string resolv_conf = "/etc/resolv.conf";  // watched: a change rebuilds the channel
        std::vector<std::string> servers;              // "127.0.0.1:5353": instead of resolv_conf's
        std::chrono::milliseconds resend_after{2000};  // per server and try
        int tries = 3;
    };

    Resolver(Reactor& reactor, const Clock& clock, Options options);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// Addresses of both families. Runs on the reactor's thread; cancellation (terminal, partial)
    /// completes at once with `cancelled`. A name that ends in a dot skips the search list.
    /// `servers`: asked instead of those of the options; empty: those.
    boost::asio::awaitable<Resolution> resolve(std::string name,
                                               std::vector<std::string> servers = {});

    /// Ends every question and every wait, so that the context can run out of work; resolve() must
    /// not be called any more.
    void close();

    /// Queries sent again because no answer came in time, since the start. Any thread.
    [[nodiscard]] std::uint64_t resends() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::probes::net

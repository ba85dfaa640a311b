// One request and its response: on a connection of its own, or on one that is kept over checks.
// Follows nothing and judges only what keeps it from going on.
#pragma once

#include "probes/kinds/http/leg.hpp"
#include "probes/kinds/http/receiver.hpp"
#include "probes/net/connection_pool.hpp"

#include <boost/asio/awaitable.hpp>

namespace sonde::probes::http {

/// Destroying it closes the connection, unless it is kept: after the verdict, which need not wait
/// for it.
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
    boost::asio::awaitable<bool> run_fresh();
    boost::asio::awaitable<bool> run_pooled();
    [[nodiscard]] net::ConnectionPool::Key key() const;
    void note_reuse();

    Leg leg_;
    PooledReceiver receiver_;
    bool redirects_ = false;
    bool reusable_ = false;
};

}  // namespace sonde::probes::http

// Open connections that wait for the next request: of one worker, kept apart by whom they lead to
// and how they were opened. Knows no protocol; what it keeps says itself whether it is still good.
#pragma once

#include "probes/net/clock.hpp"
#include "probes/net/reactor.hpp"
#include "probes/net/waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sonde::probes::net {

/// A connection between two requests.
class PooledConnection {
public:
    PooledConnection() = default;
    PooledConnection(const PooledConnection&) = delete;
    PooledConnection& operator=(const PooledConnection&) = delete;
    virtual ~PooledConnection() = default;

    /// Whether it can carry another request, as far as one can tell without sending: a look at
    /// what has come meanwhile, which does not wait.
    [[nodiscard]] virtual bool usable() = 0;
};

/// All members are used on the reactor's thread.
class ConnectionPool {
public:
    /// Of everything by which connections differ: two with equal keys may stand for each other.
    using Key = std::string;

    struct Limits {
        std::size_t idle = 1;  // kept between requests
        std::size_t open = 0;  // at the same time, idle ones included; 0: any number
        std::chrono::nanoseconds idle_timeout = std::chrono::seconds{90};
    };

    /// The right to one connection. Destroying it gives the place back, and the connection only
    /// when keep() said so. The pool outlives it.
    class Lease {
    public:
        Lease() = default;
        Lease(Lease&& other) noexcept;
        Lease& operator=(Lease&& other) noexcept;

        ~Lease() { release(); }

        /// The idle connection that was found; null: open one.
        [[nodiscard]] std::unique_ptr<PooledConnection> take() { return std::move(idle_); }

        /// How many connections were found dead, and closed, before that.
        [[nodiscard]] unsigned dead() const { return dead_; }

        /// Ends the lease and keeps the connection for the next, unless enough are idle already.
        void keep(std::unique_ptr<PooledConnection> connection);

        /// Ends the lease; the connection, which the caller closes, is not kept.
        void release();

    private:
        friend class ConnectionPool;
        ConnectionPool* pool_ = nullptr;  // null: there is nothing to give back
        Key key_;
        Limits limits_;
        std::unique_ptr<PooledConnection> idle_;
        unsigned dead_ = 0;
    };

    /// At most `most_idle` are kept, for all keys; the one that would be closed next makes room.
    ConnectionPool(Reactor& reactor, const Clock& clock, std::size_t most_idle = 1000);
    ~ConnectionPool();
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    /// Waits while `limits.open` are in use. Cancellation (terminal, partial): nothing.
    [[nodiscard]] boost::asio::awaitable<std::optional<Lease>> acquire(Key key, Limits limits);

    /// Closes what is idle now.
    void close_idle();

    /// The same, and lets go of the reactor; nothing is kept from then on.
    void close();

    [[nodiscard]] std::size_t idle() const { return idle_.size(); }

private:
    struct Idle {
        Key key;
        std::unique_ptr<PooledConnection> connection;
    };

    /// By the time at which they are closed.
    using IdleConnections = std::multimap<TimePoint, Idle>;

    struct Place {
        std::size_t open = 0;                         // leased or idle
        std::vector<IdleConnections::iterator> idle;  // the one that was used last comes last
        std::deque<std::shared_ptr<Waiter>> waiting;
    };

    std::optional<Lease> try_acquire(const Key& key, const Limits& limits);
    std::unique_ptr<PooledConnection> take_idle(Place& place);
    void give_back(const Key& key, const Limits& limits, std::unique_ptr<PooledConnection> kept);
    void wake_next(const Key& key);
    void forget_if_unused(const Key& key);
    void close_next();
    void close_expired();
    void set_alarm();

    boost::asio::io_context& context_;
    const Clock& clock_;
    std::size_t most_idle_;
    Alarm alarm_;
    bool closed_ = false;
    std::unordered_map<Key, Place> places_;
    IdleConnections idle_;
};

}  // namespace sonde::probes::net

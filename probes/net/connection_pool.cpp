#include "probes/net/connection_pool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace sonde::probes::net {

namespace asio = boost::asio;

namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

/// Until somebody completes `waiter`, which may then be gone from the pool's list already.
template <typename Token>
auto async_wait(std::shared_ptr<Waiter> waiter, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code)>(
        [](auto handler, const std::shared_ptr<Waiter>& waiting) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            waiting->emplace(std::move(handler));
            if (slot.is_connected()) {
                slot.assign([waiting = waiting.get()](asio::cancellation_type) {
                    if (waiting->armed()) {
                        waiting->complete(asio::error::operation_aborted);
                    }
                });
            }
        },
        token,
        std::move(waiter));
}

}  // namespace

ConnectionPool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      key_(std::move(other.key_)),
      limits_(other.limits_),
      idle_(std::move(other.idle_)),
      dead_(other.dead_) {}

ConnectionPool::Lease& ConnectionPool::Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        release();
        pool_ = std::exchange(other.pool_, nullptr);
        key_ = std::move(other.key_);
        limits_ = other.limits_;
        idle_ = std::move(other.idle_);
        dead_ = other.dead_;
    }
    return *this;
}

void ConnectionPool::Lease::keep(std::unique_ptr<PooledConnection> connection) {
    if (ConnectionPool* const pool = std::exchange(pool_, nullptr)) {
        pool->give_back(key_, limits_, std::move(connection));
    }
}

void ConnectionPool::Lease::release() {
    idle_.reset();
    keep(nullptr);
}

ConnectionPool::ConnectionPool(Reactor& reactor, const Clock& clock, std::size_t most_idle)
    : context_(reactor.context()),
      clock_(clock),
      most_idle_(most_idle),
      alarm_(reactor, [this] { close_expired(); }) {}

ConnectionPool::~ConnectionPool() {
    close();
}

void ConnectionPool::close() {
    closed_ = true;
    close_idle();
}

void ConnectionPool::close_idle() {
    while (!idle_.empty()) {
        close_next();
    }
    alarm_.clear();
}

void ConnectionPool::close_next() {
    const auto next = idle_.begin();
    const Key key = next->second.key;
    Place& place = places_.at(key);
    std::erase(place.idle, next);
    --place.open;
    idle_.erase(next);
    if (place.waiting.empty()) {
        forget_if_unused(key);
    }
}

asio::awaitable<std::optional<ConnectionPool::Lease>> ConnectionPool::acquire(Key key,
                                                                              Limits limits) {
    std::optional<Lease> lease;
    // Those who wait come first.
    if (places_[key].waiting.empty()) {
        lease = try_acquire(key, limits);
    }
    bool waited = false;
    while (!lease) {
        auto waiter = std::make_shared<Waiter>();
        std::deque<std::shared_ptr<Waiter>>& waiting = places_[key].waiting;
        waiting.insert(waited ? waiting.begin() : waiting.end(), waiter);
        waited = true;
        const auto [error] = co_await async_wait(waiter, tuple);
        if (error) {
            std::erase(places_[key].waiting, waiter);
            // It may have been woken for a place that another can have.
            asio::post(context_, [this, key] { wake_next(key); });
            co_return std::nullopt;
        }
        lease = try_acquire(key, limits);
    }
    co_return std::move(lease);
}

std::optional<ConnectionPool::Lease> ConnectionPool::try_acquire(const Key& key,
                                                                 const Limits& limits) {
    Place& place = places_[key];
    Lease lease;
    while (!place.idle.empty()) {
        auto connection = take_idle(place);
        if (connection->usable()) {
            lease.idle_ = std::move(connection);
            break;
        }
        --place.open;
        ++lease.dead_;
    }
    if (!lease.idle_) {
        if (limits.open != 0 && place.open >= limits.open) {
            return std::nullopt;
        }
        ++place.open;
    }
    lease.pool_ = this;
    lease.key_ = key;
    lease.limits_ = limits;
    return lease;
}

std::unique_ptr<PooledConnection> ConnectionPool::take_idle(Place& place) {
    const auto at = place.idle.back();
    place.idle.pop_back();
    auto connection = std::move(at->second.connection);
    idle_.erase(at);
    return connection;
}

void ConnectionPool::give_back(const Key& key,
                               const Limits& limits,
                               std::unique_ptr<PooledConnection> kept) {
    Place& place = places_.at(key);
    if (kept && !closed_ && place.idle.size() < limits.idle) {
        if (idle_.size() >= most_idle_) {
            close_next();
        }
        const TimePoint until = clock_.now() + limits.idle_timeout;
        place.idle.push_back(idle_.emplace(until, Idle{key, std::move(kept)}));
        set_alarm();
    } else {
        --place.open;
    }
    if (place.waiting.empty()) {
        forget_if_unused(key);
    } else {
        // Not from here: a lease ends in the middle of its owner's work.
        asio::post(context_, [this, key] { wake_next(key); });
    }
}

void ConnectionPool::wake_next(const Key& key) {
    const auto found = places_.find(key);
    if (found != places_.end() && found->second.waiting.empty()) {
        forget_if_unused(key);
        return;
    }
    while (found != places_.end() && !found->second.waiting.empty()) {
        const std::shared_ptr<Waiter> next = std::move(found->second.waiting.front());
        found->second.waiting.pop_front();
        if (next->armed()) {
            next->complete({});
            return;
        }
    }
}

void ConnectionPool::forget_if_unused(const Key& key) {
    const auto found = places_.find(key);
    if (found != places_.end() && found->second.open == 0 && found->second.waiting.empty()) {
        places_.erase(found);
    }
}

void ConnectionPool::close_expired() {
    const TimePoint now = clock_.now();
    while (!idle_.empty() && idle_.begin()->first <= now) {
        close_next();
    }
    set_alarm();
}

void ConnectionPool::set_alarm() {
    if (idle_.empty()) {
        alarm_.clear();
    } else {
        alarm_.set(idle_.begin()->first);
    }
}

}  // namespace sonde::probes::net

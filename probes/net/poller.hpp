// Readiness of descriptors for one worker: an epoll set of its own inside the worker's io_context.
// Why not Asio's reactor: each async_wait there costs an epoll_ctl, and a connect another; a
// descriptor here is registered once, edge-triggered for both directions (tests/bench/check_cost
// has the numbers).
#pragma once

#include "probes/net/waiter.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sonde::probes::net {

enum class Direction : std::uint8_t { read, write };

class Poller;

/// One descriptor's registration. At most one wait for each direction at a time. Neither copied nor
/// moved: the kernel holds its address. Used on the poller's thread only.
class Watch {
public:
    explicit Watch(Poller& poller) : poller_(&poller) {}

    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// A wait under way is dropped without completing: whoever waits must have been cancelled
    /// before.
    ~Watch();

    /// Registers `fd`, which must be non-blocking and stays the caller's.
    boost::system::error_code start(int fd);

    /// Forgets the descriptor, which the caller closes right after (closing takes it out of the
    /// epoll set, so that no system call is spent here); waits under way end with
    /// operation_aborted.
    void stop();

    /// Completes when the descriptor may have become ready in this direction since the last wait;
    /// try the system call first, wait when it says EAGAIN. Signature void(error_code); the only
    /// error is operation_aborted, on cancellation (terminal or partial) or stop().
    template <typename Token>
    auto wait(Direction direction, Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
            [](auto handler, Watch* self, Direction way) {
                self->suspend(way, std::move(handler));
            },
            token,
            this,
            direction);
    }

private:
    friend class Poller;

    struct Side {
        Waiter waiter;
        bool ready = false;
    };

    template <typename Handler>
    void suspend(Direction direction, Handler handler) {
        Side& side = sides_[static_cast<std::size_t>(direction)];
        if (side.ready) {
            side.ready = false;
            post_completion(std::move(handler), {});
            return;
        }
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        side.waiter.emplace(std::move(handler));
        if (slot.is_connected()) {
            slot.assign([this, direction](boost::asio::cancellation_type type) {
                using boost::asio::cancellation_type;
                if ((type & (cancellation_type::terminal | cancellation_type::partial)) !=
                    cancellation_type::none) {
                    abort(direction);
                }
            });
        }
    }

    template <typename Handler>
    void post_completion(Handler handler, boost::system::error_code error);

    void abort(Direction direction);
    void on_events(std::uint32_t events);
    void wake(Direction direction);

    Poller* poller_;
    int fd_ = -1;
    std::array<Side, 2> sides_;
};

class Poller {
public:
    explicit Poller(boost::asio::io_context& context);
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    /// Stops watching, so that the context can run out of work. No Watch may be waiting.
    void close();

    [[nodiscard]] boost::asio::io_context& context() { return context_; }

private:
    friend class Watch;
    void arm();
    void drain();
    void forget(const Watch* watch);

    struct Batch;
    boost::asio::io_context& context_;
    int epoll_;
    std::unique_ptr<Batch> batch_;
    const Watch* current_ = nullptr;  // whose events are being handled; null once it is destroyed
};

template <typename Handler>
void Watch::post_completion(Handler handler, boost::system::error_code error) {
    boost::asio::post(poller_->context(), [handler = std::move(handler), error]() mutable {
        std::move(handler)(error);
    });
}

}  // namespace sonde::probes::net

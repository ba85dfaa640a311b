// What one thread waits for: readiness of descriptors, alarms, and what other threads post. It runs
// as a handler of the thread's io_context, which is left with running coroutines and handlers.
// Why not Asio's reactor: each async_wait there costs an epoll_ctl, a connect another, each timer a
// timerfd; a descriptor here is registered once, edge-triggered for both directions. An epoll set
// inside Asio's was a tenth of a check's cost (tests/bench/check_cost has the numbers).
#pragma once

#include "probes/net/clock.hpp"
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
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sonde::probes::net {

enum class Direction : std::uint8_t { read, write };

class Reactor;

/// One descriptor's registration. At most one wait for each direction at a time. Neither copied nor
/// moved: the kernel holds its address. Used on the reactor's thread only.
class Watch {
public:
    explicit Watch(Reactor& reactor) : reactor_(&reactor) {}

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
    friend class Reactor;

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

    Reactor* reactor_;
    int fd_ = -1;
    std::array<Side, 2> sides_;
};

/// A time at which a function is called, once for each set(). For a thread's few timers: every
/// check has its deadline in a timer wheel. Used on the reactor's thread only.
class Alarm {
public:
    Alarm(Reactor& reactor, std::function<void()> ring);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    /// Instead of the time that was set before.
    void set(TimePoint at) { at_ = at; }

    /// Unless it rings before; whether it was set.
    bool set_no_later(TimePoint at) {
        if (at_ && *at_ <= at) {
            return false;
        }
        at_ = at;
        return true;
    }

    void clear() { at_.reset(); }

    [[nodiscard]] std::optional<TimePoint> at() const { return at_; }

private:
    friend class Reactor;
    Reactor& reactor_;
    std::function<void()> ring_;
    std::optional<TimePoint> at_;
};

class Reactor {
public:
    /// Works while the context runs, until close(). Nothing else on this context may need Asio's
    /// own reactor (Asio's timers, sockets and descriptors): nobody would wait for it.
    explicit Reactor(boost::asio::io_context& context);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    /// Runs `function` on the context. Any thread; a plain asio::post is for the context's own.
    template <typename Function>
    void post(Function function) {
        boost::asio::post(context_, std::move(function));
        wake();
    }

    /// Ends the wait under way, or the next. Any thread.
    void wake() const;

    /// Stops waiting, so that the context can run out of work. No Watch may be waiting.
    void close() { open_ = false; }

    [[nodiscard]] boost::asio::io_context& context() { return context_; }

private:
    friend class Alarm;
    friend class Watch;
    struct Events;

    void turn();
    void wait(bool at_once);
    void dispatch();
    void ring();
    void forget(const Watch* watch);

    boost::asio::io_context& context_;
    bool open_ = true;
    std::unique_ptr<Events> events_;
    std::vector<Alarm*> alarms_;
    const Watch* current_ = nullptr;  // whose events are being handled; null once it is destroyed
};

template <typename Handler>
void Watch::post_completion(Handler handler, boost::system::error_code error) {
    boost::asio::post(reactor_->context(), [handler = std::move(handler), error]() mutable {
        std::move(handler)(error);
    });
}

}  // namespace sonde::probes::net

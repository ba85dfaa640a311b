#include "probes/net/reactor.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace sonde::probes::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// How many handlers run between two looks at the descriptors, at most: what posts itself again
/// and again (a reload in slices) must not keep them waiting.
constexpr int handlers_a_turn = 8;

int checked(int descriptor, const char* call) {
    if (descriptor < 0) {
        throw std::system_error(errno, std::system_category(), call);
    }
    return descriptor;
}

}  // namespace

struct Reactor::Events {
    Events()
        : epoll(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
          wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        epoll_event event{};
        // Edge-triggered, it reports every write and need not be read.
        event.events = EPOLLIN | EPOLLET;
        if (wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) != 0) {
            const int error = errno;
            ::close(epoll);
            throw std::system_error(error, std::system_category(), "eventfd");
        }
    }

    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    ~Events() {
        ::close(wake);
        ::close(epoll);
    }

    /// epoll_wait with a timeout in nanoseconds where the kernel has that (Linux 5.11), else in
    /// milliseconds, rounded up. Without a timeout: forever.
    int wait(std::optional<std::chrono::nanoseconds> timeout) {
        const auto size = static_cast<int>(batch.size());
        if (precise) {
            timespec time{};
            if (timeout) {
                time = {static_cast<time_t>(timeout->count() / 1'000'000'000),
                        static_cast<long>(timeout->count() % 1'000'000'000)};
            }
            const int ready =
                epoll_pwait2(epoll, batch.data(), size, timeout ? &time : nullptr, nullptr);
            if (ready >= 0 || errno == EINTR) {
                return std::max(ready, 0);
            }
            precise = false;  // ENOSYS, or EPERM of a sandbox that does not know it
        }
        const auto whole = timeout ? std::chrono::ceil<std::chrono::milliseconds>(*timeout).count()
                                   : std::int64_t{-1};
        const auto capped = static_cast<int>(std::min<std::int64_t>(whole, 3'600'000));
        return std::max(epoll_wait(epoll, batch.data(), size, capped), 0);
    }

    int epoll;
    int wake;
    bool precise = true;
    std::array<epoll_event, 256> batch{};
    int count = 0;
    int next = 0;
};

Reactor::Reactor(asio::io_context& context)
    : context_(context),
      events_(std::make_unique<Events>()) {
    asio::post(context_, [this] { turn(); });
}

Reactor::~Reactor() = default;

void Reactor::turn() {
    int left = handlers_a_turn;
    while (left > 0 && context_.poll_one() != 0) {
        --left;
    }
    if (open_) {
        wait(left == 0);
        dispatch();
        ring();
    }
    if (open_) {
        asio::post(context_, [this] { turn(); });
    }
}

void Reactor::wait(bool at_once) {
    std::optional<std::chrono::nanoseconds> timeout;
    if (at_once) {
        timeout = std::chrono::nanoseconds::zero();
    } else {
        std::optional<TimePoint> first;
        for (const Alarm* alarm : alarms_) {
            if (alarm->at_ && (!first || *alarm->at_ < *first)) {
                first = alarm->at_;
            }
        }
        if (first) {
            timeout = std::max<std::chrono::nanoseconds>(*first - Clock::system().now(),
                                                         std::chrono::nanoseconds::zero());
        }
    }
    events_->count = events_->wait(timeout);
}

void Reactor::dispatch() {
    Events& events = *events_;
    for (events.next = 0; events.next < events.count;) {
        const epoll_event& event = events.batch[static_cast<std::size_t>(events.next++)];
        if (event.data.ptr != nullptr) {
            static_cast<Watch*>(event.data.ptr)->on_events(event.events);
        }
    }
    events.count = 0;
}

void Reactor::ring() {
    const TimePoint now = Clock::system().now();
    // From the start again after each: what rings may set, make or destroy any.
    const auto due = [&] {
        return std::ranges::find_if(
            alarms_, [now](const Alarm* alarm) { return alarm->at_ && *alarm->at_ <= now; });
    };
    for (auto found = due(); found != alarms_.end(); found = due()) {
        (*found)->at_.reset();
        (*found)->ring_();
    }
}

void Reactor::wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(events_->wake, &one, sizeof one));
}

void Reactor::forget(const Watch* watch) {
    // A handler of this batch may destroy a Watch whose event is still to come in it.
    for (int i = events_->next; i < events_->count; ++i) {
        epoll_event& event = events_->batch[static_cast<std::size_t>(i)];
        if (event.data.ptr == watch) {
            event.data.ptr = nullptr;
        }
    }
}

Alarm::Alarm(Reactor& reactor, std::function<void()> ring)
    : reactor_(reactor),
      ring_(std::move(ring)) {
    reactor_.alarms_.push_back(this);
}

Alarm::~Alarm() {
    std::erase(reactor_.alarms_, this);
}

Watch::~Watch() {
    if (reactor_->current_ == this) {
        reactor_->current_ = nullptr;
    }
    if (fd_ >= 0) {
        reactor_->forget(this);
    }
}

error_code Watch::start(int fd) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = this;
    if (epoll_ctl(reactor_->events_->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return {errno, boost::system::system_category()};
    }
    fd_ = fd;
    for (Side& side : sides_) {
        side.ready = false;
    }
    return {};
}

void Watch::stop() {
    if (fd_ < 0) {
        return;
    }
    fd_ = -1;
    reactor_->forget(this);
    abort(Direction::read);
    abort(Direction::write);
}

void Watch::abort(Direction direction) {
    Side& side = sides_[static_cast<std::size_t>(direction)];
    if (side.waiter.armed()) {
        side.waiter.complete(asio::error::operation_aborted);
    }
}

void Watch::on_events(std::uint32_t events) {
    constexpr std::uint32_t both = EPOLLERR | EPOLLHUP;
    const bool readable = (events & (EPOLLIN | EPOLLRDHUP | both)) != 0;
    const bool writable = (events & (EPOLLOUT | both)) != 0;
    Reactor& reactor = *reactor_;
    reactor.current_ = this;
    if (writable) {
        wake(Direction::write);
    }
    // The handler that ran may have destroyed this Watch; its destructor then took it from
    // current_.
    if (readable && reactor.current_ == this) {
        wake(Direction::read);
    }
    reactor.current_ = nullptr;
}

void Watch::wake(Direction direction) {
    Side& side = sides_[static_cast<std::size_t>(direction)];
    if (side.waiter.armed()) {
        side.waiter.complete({});
    } else {
        side.ready = true;
    }
}

}  // namespace sonde::probes::net

#include "probes/net/poller.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sonde::probes::net {

namespace asio = boost::asio;
using boost::system::error_code;

struct Poller::Batch {
    explicit Batch(asio::io_context& context, int epoll) : descriptor(context, epoll) {}

    asio::posix::stream_descriptor descriptor;  // owns the epoll set
    std::array<epoll_event, 256> events{};
    int count = 0;
    int next = 0;
};

Poller::Poller(asio::io_context& context)
    : context_(context),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) {
        throw std::system_error(errno, std::system_category(), "epoll_create1");
    }
    batch_ = std::make_unique<Batch>(context, epoll_);
    arm();
}

Poller::~Poller() = default;

void Poller::close() {
    batch_->descriptor.close();
}

void Poller::arm() {
    batch_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                  [this](error_code error) {
                                      if (!error) {
                                          drain();
                                          arm();
                                      }
                                  });
}

void Poller::drain() {
    Batch& batch = *batch_;
    int ready = epoll_wait(epoll_, batch.events.data(), static_cast<int>(batch.events.size()), 0);
    batch.count = ready > 0 ? ready : 0;
    for (batch.next = 0; batch.next < batch.count;) {
        const epoll_event& event = batch.events[static_cast<std::size_t>(batch.next++)];
        if (event.data.ptr != nullptr) {
            static_cast<Watch*>(event.data.ptr)->on_events(event.events);
        }
    }
    batch.count = 0;
}

void Poller::forget(const Watch* watch) {
    // A handler of this batch may destroy a Watch whose event is still to come in it.
    for (int i = batch_->next; i < batch_->count; ++i) {
        epoll_event& event = batch_->events[static_cast<std::size_t>(i)];
        if (event.data.ptr == watch) {
            event.data.ptr = nullptr;
        }
    }
}

Watch::~Watch() {
    if (poller_->current_ == this) {
        poller_->current_ = nullptr;
    }
    if (fd_ >= 0) {
        poller_->forget(this);
    }
}

error_code Watch::start(int fd) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = this;
    if (epoll_ctl(poller_->epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
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
    poller_->forget(this);
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
    Poller& poller = *poller_;
    poller.current_ = this;
    if (writable) {
        wake(Direction::write);
    }
    // The handler that ran may have destroyed this Watch; its destructor then took it from
    // current_.
    if (readable && poller.current_ == this) {
        wake(Direction::read);
    }
    poller.current_ = nullptr;
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

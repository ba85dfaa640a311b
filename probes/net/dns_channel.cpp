#include "probes/net/dns_channel.hpp"

#include <boost/asio/post.hpp>

#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sonde::probes::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

std::string describe(int status) {
    switch (status) {
        case ARES_ENOTFOUND:
            return "NXDOMAIN: the name does not exist";
        case ARES_ENODATA:
            return "the name has no address";
        case ARES_ESERVFAIL:
            return "SERVFAIL from the name server";
        case ARES_EREFUSED:
            return "REFUSED by the name server";
        case ARES_ETIMEOUT:
            return "no answer from the name server";
        case ARES_ECONNREFUSED:
            return "no name server could be reached";
        default:
            return ares_strerror(status);
    }
}

/// Whether a descriptor is ready right now.
bool is_ready(int fd, Direction direction) {
    pollfd wanted{fd, static_cast<short>(direction == Direction::read ? POLLIN : POLLOUT), 0};
    return poll(&wanted, 1, 0) > 0;
}

}  // namespace

DnsChannel::DnsChannel(Reactor& reactor,
                       const Resolver::Options& options,
                       std::atomic<std::uint64_t>& resends)
    : reactor_(reactor),
      timer_(std::in_place, reactor, [this] { on_timer(); }),
      resend_after_(options.resend_after),
      resends_(resends) {
    ares_options wanted{};
    wanted.timeout = static_cast<int>(options.resend_after.count());
    wanted.tries = options.tries;
    wanted.sock_state_cb = &DnsChannel::on_socket_state;
    wanted.sock_state_cb_data = this;
    std::string resolv_conf = options.resolv_conf;
    wanted.resolvconf_path = resolv_conf.data();
    // Without it c-ares drops SERVFAIL and REFUSED, asks again and in the end says that no
    // server could be reached: hidden retries and the wrong reason.
    wanted.flags = ARES_FLAG_NOCHECKRESP;
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
                     ARES_OPT_RESOLVCONF;
    if (int status = ares_init_options(&channel_, &wanted, mask); status != ARES_SUCCESS) {
        throw std::runtime_error{std::string{"resolver: "} + ares_strerror(status)};
    }
    if (!options.servers.empty()) {
        std::string list;
        for (const std::string& server : options.servers) {
            list += (list.empty() ? "" : ",") + server;
        }
        if (int status = ares_set_servers_ports_csv(channel_, list.c_str());
            status != ARES_SUCCESS) {
            ares_destroy(channel_);
            throw std::runtime_error{"resolver: " + list + ": " + ares_strerror(status)};
        }
    }
}

void DnsChannel::end() {
    if (!std::exchange(ended_, true)) {
        ares_destroy(channel_);
        sockets_.clear();
        timer_.reset();
    }
}

struct DnsChannel::Call {
    std::shared_ptr<DnsChannel> channel;  // the channel lives until its last answer
    std::shared_ptr<DnsQuery> query;
};

struct DnsChannel::Socket {
    Socket(Reactor& reactor, int descriptor) : watch(reactor), fd(descriptor) {}

    bool& wanted(Direction direction) {
        return direction == Direction::read ? want_read : want_write;
    }

    Watch watch;
    int fd;
    bool want_read = false;
    bool want_write = false;
    bool closed = false;
};

void DnsChannel::ask(const std::string& name, std::shared_ptr<DnsQuery> query) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    auto* call = new Call{shared_from_this(), std::move(query)};
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &DnsChannel::on_answer, call);
    wait_for_news();
}

void DnsChannel::on_answer(void* data, int status, int timeouts, ares_addrinfo* found) {
    std::unique_ptr<Call> call{static_cast<Call*>(data)};
    DnsQuery& query = *call->query;
    call->channel->resends_ += static_cast<std::uint64_t>(timeouts);
    if (status == ARES_SUCCESS) {
        for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
            if (auto endpoint = Endpoint::from(node->ai_addr)) {
                query.answer.addresses.push_back(*endpoint);
            }
        }
        ares_freeaddrinfo(found);
    } else {
        query.answer.error = describe(status);
    }
    // Not from inside c-ares: the waiter may ask again, or drop the last reference to the
    // channel.
    asio::io_context& context = call->channel->reactor_.context();
    asio::post(context, [keep = std::shared_ptr<Call>{std::move(call)}] {
        if (keep->query->waiter.armed()) {
            keep->query->waiter.complete({});
        }
    });
}

void DnsChannel::on_socket_state(void* data, ares_socket_t fd, int readable, int writable) {
    static_cast<DnsChannel*>(data)->set_socket(fd, readable != 0, writable != 0);
}

void DnsChannel::set_socket(int fd, bool want_read, bool want_write) {
    auto found = sockets_.find(fd);
    if (!want_read && !want_write) {
        if (found != sockets_.end()) {
            const std::shared_ptr<Socket> socket = found->second;
            sockets_.erase(found);
            socket->closed = true;
            socket->watch.stop();  // c-ares closes it itself
        }
        return;
    }
    if (found == sockets_.end()) {
        found = sockets_.emplace(fd, std::make_shared<Socket>(reactor_, fd)).first;
        found->second->watch.start(fd);
    }
    const std::shared_ptr<Socket> socket = found->second;
    const bool start_read = want_read && !socket->want_read;
    const bool start_write = want_write && !socket->want_write;
    socket->want_read = want_read;
    socket->want_write = want_write;
    if (start_read) {
        wait(socket, Direction::read);
    }
    if (start_write) {
        wait(socket, Direction::write);
    }
}

void DnsChannel::wait(const std::shared_ptr<Socket>& socket, Direction direction) {
    socket->watch.wait(direction, [weak = weak_from_this(), socket, direction](error_code error) {
        auto self = weak.lock();
        if (!error && self) {
            self->on_ready(socket, direction);
        }
    });
}

void DnsChannel::on_ready(const std::shared_ptr<Socket>& socket, Direction direction) {
    if (ended_ || socket->closed) {
        return;
    }
    const bool reading = direction == Direction::read;
    ares_process_fd(
        channel_, reading ? socket->fd : ARES_SOCKET_BAD, reading ? ARES_SOCKET_BAD : socket->fd);
    wait_for_news();
    if (socket->closed || !socket->wanted(direction)) {
        return;
    }
    if (is_ready(socket->fd, direction)) {
        // c-ares may leave something behind, and the watch tells of news only.
        asio::post(reactor_.context(),
                   [weak = weak_from_this(), waits = std::weak_ptr{socket}, direction] {
                       const auto self = weak.lock();
                       const auto still = waits.lock();
                       if (self && still) {
                           self->on_ready(still, direction);
                       }
                   });
    } else {
        wait(socket, direction);
    }
}

/// No question that was asked or moved on just now runs out before this. c-ares itself looks
/// at every open question to tell when the next one runs out, which is too much for each of
/// thousands that a dead server leaves open.
void DnsChannel::wait_for_news() {
    timer_->set_no_later(Clock::system().now() + resend_after_);
}

void DnsChannel::on_timer() {
    constexpr std::chrono::milliseconds at_the_earliest{10};
    // The channel outlives this: on_answer() posts what it ends.
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    timeval left{};
    if (ares_timeout(channel_, nullptr, &left) != nullptr) {
        const auto time =
            std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec};
        timer_->set_no_later(Clock::system().now() +
                             std::max<std::chrono::nanoseconds>(time, at_the_earliest));
    }
}

}  // namespace sonde::probes::net

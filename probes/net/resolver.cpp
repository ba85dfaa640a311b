#include "probes/net/resolver.hpp"

#include "probes/net/reactor.hpp"
#include "probes/net/waiter.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

namespace sonde::probes::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

/// One question under way. c-ares cannot take back a single one, so a cancelled question leaves
/// this behind with nobody waiting until its callback comes.
struct Query {
    Waiter waiter;
    Resolution answer;
};

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

/// A c-ares channel driven by the reactor: its sockets, its timer, and the questions it has open.
class Channel : public std::enable_shared_from_this<Channel> {
public:
    Channel(Reactor& reactor, const Resolver::Options& options, std::atomic<std::uint64_t>& resends)
        : reactor_(reactor),
          timer_(std::in_place, reactor, [this] { on_timer(); }),
          resend_after_(options.resend_after),
          resends_(resends) {
        ares_options wanted{};
        wanted.timeout = static_cast<int>(options.resend_after.count());
        wanted.tries = options.tries;
        wanted.sock_state_cb = &Channel::on_socket_state;
        wanted.sock_state_cb_data = this;
        std::string resolv_conf = options.resolv_conf;
        wanted.resolvconf_path = resolv_conf.data();
        // Without it c-ares drops SERVFAIL and REFUSED, asks again and in the end says that no
        // server could be reached: hidden retries and the wrong reason.
        wanted.flags = ARES_FLAG_NOCHECKRESP;
        const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                         ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;
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

    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    ~Channel() { end(); }

    /// Ends every open question and lets go of the reactor: handlers that are left in the context
    /// may keep this alive for longer than the reactor lives. Never called from inside c-ares,
    /// which only posts.
    void end() {
        if (!std::exchange(ended_, true)) {
            ares_destroy(channel_);
            sockets_.clear();
            timer_.reset();
        }
    }

    void ask(const std::string& name, std::shared_ptr<Query> query) {
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        auto* call = new Call{shared_from_this(), std::move(query)};
        ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &Channel::on_answer, call);
        wait_for_news();
    }

private:
    struct Call {
        std::shared_ptr<Channel> channel;  // the channel lives until its last answer
        std::shared_ptr<Query> query;
    };

    struct Socket {
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

    static void on_answer(void* data, int status, int timeouts, ares_addrinfo* found) {
        std::unique_ptr<Call> call{static_cast<Call*>(data)};
        Query& query = *call->query;
        call->channel->resends_ += static_cast<std::uint64_t>(timeouts);
        if (status == ARES_SUCCESS) {
            for (const ares_addrinfo_node* node = found->nodes; node != nullptr;
                 node = node->ai_next) {
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

    static void on_socket_state(void* data, ares_socket_t fd, int readable, int writable) {
        static_cast<Channel*>(data)->set_socket(fd, readable != 0, writable != 0);
    }

    void set_socket(int fd, bool want_read, bool want_write) {
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

    void wait(const std::shared_ptr<Socket>& socket, Direction direction) {
        socket->watch.wait(direction,
                           [weak = weak_from_this(), socket, direction](error_code error) {
                               auto self = weak.lock();
                               if (!error && self) {
                                   self->on_ready(socket, direction);
                               }
                           });
    }

    void on_ready(const std::shared_ptr<Socket>& socket, Direction direction) {
        if (ended_ || socket->closed) {
            return;
        }
        const bool reading = direction == Direction::read;
        ares_process_fd(channel_,
                        reading ? socket->fd : ARES_SOCKET_BAD,
                        reading ? ARES_SOCKET_BAD : socket->fd);
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
    void wait_for_news() { timer_->set_no_later(Clock::system().now() + resend_after_); }

    void on_timer() {
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

    Reactor& reactor_;
    std::optional<Alarm> timer_;
    std::chrono::milliseconds resend_after_;
    bool ended_ = false;
    std::atomic<std::uint64_t>& resends_;
    std::map<int, std::shared_ptr<Socket>> sockets_;
    ares_channel channel_ = nullptr;
};

/// What tells one state of a file from another.
struct FileState {
    std::int64_t modified_ns = 0;
    ino_t inode = 0;
    off_t size = 0;
    bool operator==(const FileState&) const = default;
};

FileState state_of(const std::string& path) {
    struct stat found {};

    if (stat(path.c_str(), &found) != 0) {
        return {};
    }
    return {
        found.st_mtim.tv_sec * 1'000'000'000L + found.st_mtim.tv_nsec, found.st_ino, found.st_size};
}

}  // namespace

struct Resolver::Impl {
    Reactor& reactor;
    const Clock& clock;
    Options options;
    std::atomic<std::uint64_t> resends = 0;
    std::shared_ptr<Channel> channel;
    std::vector<std::weak_ptr<Channel>> retired;  // replaced, with questions still open
    FileState resolv_conf;
    TimePoint looked_at;

    /// Rebuilds the channel when resolv.conf has changed, looking at most once a second. Questions
    /// that are under way keep the old channel until they are answered.
    Channel& current() {
        const TimePoint now = clock.now();
        if (!channel || now - looked_at >= std::chrono::seconds{1}) {
            looked_at = now;
            const FileState state = state_of(options.resolv_conf);
            if (!channel || state != resolv_conf) {
                resolv_conf = state;
                std::erase_if(retired, [](const auto& old) { return old.expired(); });
                retired.emplace_back(channel);
                channel = std::make_shared<Channel>(reactor, options, resends);
            }
        }
        return *channel;
    }

    /// For targets with name servers of their own. One that nothing has used for an hour goes, and
    /// all do when resolv.conf, whose search list they have, has changed.
    Channel& asking(const std::vector<std::string>& servers) {
        constexpr std::chrono::hours unused{1};
        static_cast<void>(current());
        const TimePoint now = clock.now();
        const auto is_old = [&](const Other& other) {
            return now - other.used >= unused || !(other.resolv_conf == resolv_conf);
        };
        auto found = others.find(servers);
        if (found == others.end() || is_old(found->second)) {
            Options own = options;
            own.servers = servers;
            Other made{std::make_shared<Channel>(reactor, own, resends), now, resolv_conf};
            std::erase_if(others, [&](const auto& entry) {
                const bool old = is_old(entry.second);
                if (old) {
                    retired.emplace_back(entry.second.channel);
                }
                return old;
            });
            found = others.emplace(servers, std::move(made)).first;
        }
        found->second.used = now;
        return *found->second.channel;
    }

    struct Other {
        std::shared_ptr<Channel> channel;
        TimePoint used;
        FileState resolv_conf;
    };

    std::map<std::vector<std::string>, Other> others;
};

Resolver::Resolver(Reactor& reactor, const Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(reactor, clock, std::move(options))) {
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    if (library != ARES_SUCCESS) {
        throw std::runtime_error{std::string{"c-ares: "} + ares_strerror(library)};
    }
}

Resolver::~Resolver() {
    close();
}

void Resolver::close() {
    if (impl_->channel) {
        impl_->channel->end();
    }
    for (const auto& [servers, other] : impl_->others) {
        other.channel->end();
    }
    for (const auto& old : impl_->retired) {
        if (auto channel = old.lock()) {
            channel->end();
        }
    }
}

std::uint64_t Resolver::resends() const {
    return impl_->resends;
}

namespace {

template <typename Token>
auto async_answer(Query& query, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [](auto handler, Query* waiting) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            waiting->waiter.emplace(std::move(handler));
            if (slot.is_connected()) {
                slot.assign([waiting](asio::cancellation_type) {
                    if (waiting->waiter.armed()) {
                        waiting->waiter.complete(asio::error::operation_aborted);
                    }
                });
            }
        },
        token,
        &query);
}

}  // namespace

asio::awaitable<Resolution> Resolver::resolve(std::string name, std::vector<std::string> servers) {
    auto query = std::make_shared<Query>();
    (servers.empty() ? impl_->current() : impl_->asking(servers)).ask(name, query);
    // The answer of a hosts file is there already, but its completion is posted: waiting is right.
    auto [error] = co_await async_answer(*query, tuple);
    if (error) {
        query->answer.cancelled = true;
    }
    co_return std::move(query->answer);
}

}  // namespace sonde::probes::net

#include "probes/net/resolver.hpp"

#include "probes/net/dns_channel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <ares.h>
#include <sys/stat.h>

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
    std::shared_ptr<DnsChannel> channel;
    std::vector<std::weak_ptr<DnsChannel>> retired;  // replaced, with questions still open
    FileState resolv_conf;
    TimePoint looked_at;

    /// Rebuilds the channel when resolv.conf has changed, looking at most once a second. Questions
    /// that are under way keep the old channel until they are answered.
    DnsChannel& current() {
        const TimePoint now = clock.now();
        if (!channel || now - looked_at >= std::chrono::seconds{1}) {
            looked_at = now;
            const FileState state = state_of(options.resolv_conf);
            if (!channel || state != resolv_conf) {
                resolv_conf = state;
                std::erase_if(retired, [](const auto& old) { return old.expired(); });
                retired.emplace_back(channel);
                channel = std::make_shared<DnsChannel>(reactor, options, resends);
            }
        }
        return *channel;
    }

    /// For targets with name servers of their own. One that nothing has used for an hour goes, and
    /// all do when resolv.conf, whose search list they have, has changed.
    DnsChannel& asking(const std::vector<std::string>& servers) {
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
            Other made{std::make_shared<DnsChannel>(reactor, own, resends), now, resolv_conf};
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
        std::shared_ptr<DnsChannel> channel;
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
auto async_answer(DnsQuery& query, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [](auto handler, DnsQuery* waiting) {
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
    auto query = std::make_shared<DnsQuery>();
    (servers.empty() ? impl_->current() : impl_->asking(servers)).ask(name, query);
    // The answer of a hosts file is there already, but its completion is posted: waiting is right.
    auto [error] = co_await async_answer(*query, tuple);
    if (error) {
        query->answer.cancelled = true;
    }
    co_return std::move(query->answer);
}

}  // namespace sonde::probes::net

// One c-ares channel on a reactor: its sockets, its timer and the questions it has open. Which
// channel is asked is the resolver's choice.
#pragma once

#include "probes/net/reactor.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/waiter.hpp"

#include <ares.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace sonde::probes::net {

/// One question under way. c-ares cannot take back a single one, so a cancelled question leaves
/// this behind with nobody waiting until its callback comes.
struct DnsQuery {
    Waiter waiter;
    Resolution answer;
};

class DnsChannel : public std::enable_shared_from_this<DnsChannel> {
public:
    /// Throws std::runtime_error when c-ares does not take the options. `resends` outlives this.
    DnsChannel(Reactor& reactor,
               const Resolver::Options& options,
               std::atomic<std::uint64_t>& resends);
    DnsChannel(const DnsChannel&) = delete;
    DnsChannel& operator=(const DnsChannel&) = delete;

    ~DnsChannel() { end(); }

    /// Ends every open question and lets go of the reactor: handlers that are left in the context
    /// may keep this alive for longer than the reactor lives. Never called from inside c-ares,
    /// which only posts.
    void end();

    /// The answer comes by the query's waiter, never from inside this call.
    void ask(const std::string& name, std::shared_ptr<DnsQuery> query);

private:
    struct Call;
    struct Socket;

    static void on_answer(void* data, int status, int timeouts, ares_addrinfo* found);
    static void on_socket_state(void* data, ares_socket_t fd, int readable, int writable);
    void set_socket(int fd, bool want_read, bool want_write);
    void wait(const std::shared_ptr<Socket>& socket, Direction direction);
    void on_ready(const std::shared_ptr<Socket>& socket, Direction direction);
    void wait_for_news();
    void on_timer();

    Reactor& reactor_;
    std::optional<Alarm> timer_;
    std::chrono::milliseconds resend_after_;
    bool ended_ = false;
    std::atomic<std::uint64_t>& resends_;
    std::map<int, std::shared_ptr<Socket>> sockets_;
    ares_channel channel_ = nullptr;
};

}  // namespace sonde::probes::net

// Listening, one thread for each connection, and the steps of scripts.
#include "tests/support/scripted_server.hpp"

#include "tests/support/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace sonde::tests {

struct ScriptedServer::Connection {
    Connection(int socket, const Latch& stop) : peer(socket, stop) {}

    Peer peer;
    Latch done;
    std::thread thread;
};

ScriptedServer::ScriptedServer(std::vector<Script> scripts, IpFamily family)
    : family_(family),
      listener_(bind_loopback(SOCK_STREAM, family == IpFamily::v6)) {
    if (::listen(listener_, 64) < 0) {
        throw std::system_error(errno, std::generic_category(), "listen");
    }
    port_ = port_of(listener_);
    play(std::move(scripts));
    acceptor_ = std::thread([this] { accept_loop(); });
}

ScriptedServer::~ScriptedServer() {
    stop_.open();
    acceptor_.join();
    for (const auto& connection : connections_) {
        connection->thread.join();
    }
    ::close(listener_);
}

void ScriptedServer::play(std::vector<Script> scripts) {
    std::vector<std::shared_ptr<const Script>> shared;
    for (Script& script : scripts) {
        shared.push_back(std::make_shared<const Script>(std::move(script)));
    }
    const std::lock_guard lock(mutex_);
    scripts_ = std::move(shared);
    next_script_ = 0;
}

std::string ScriptedServer::address() const {
    return (family_ == IpFamily::v6 ? "[::1]:" : "127.0.0.1:") + std::to_string(port_);
}

std::string ScriptedServer::url(const std::string& path, const std::string& scheme) const {
    return scheme + "://" + address() + path;
}

std::size_t ScriptedServer::accepted() const {
    const std::lock_guard lock(mutex_);
    return connections_.size();
}

std::vector<Conversation> ScriptedServer::finished(std::size_t count) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::vector<Conversation> seen;
    while (seen.size() < count) {
        const Connection* next = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (seen.size() < connections_.size()) {
                next = connections_[seen.size()].get();
            }
        }
        if (next == nullptr) {
            // A connection that was made may still wait for the acceptor thread.
            pollfd stop{stop_.descriptor(), POLLIN, 0};
            ::poll(&stop, 1, 1);
        } else if (next->done.wait()) {
            seen.push_back(next->peer.conversation());
            continue;
        }
        if (std::chrono::steady_clock::now() > end) {
            throw std::runtime_error("only " + std::to_string(seen.size()) + " of " +
                                     std::to_string(count) + " connections ended");
        }
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = seen.size(); i < connections_.size(); ++i) {
        seen.push_back(connections_[i]->peer.conversation());
    }
    return seen;
}

void ScriptedServer::break_with(std::shared_ptr<Fault> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
}

void ScriptedServer::accept_loop() {
    for (;;) {
        std::array<pollfd, 2> set{{{stop_.descriptor(), POLLIN, 0}, {listener_, POLLIN, 0}}};
        ::poll(set.data(), set.size(), -1);
        if (stop_.is_open()) {
            return;
        }
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) {
            continue;  // the client has reset it already
        }
        auto made = std::make_unique<Connection>(socket, stop_);
        Connection& connection = *made;
        const std::lock_guard lock(mutex_);
        const std::shared_ptr<const Script> script =
            scripts_.empty() ? std::make_shared<const Script>() : scripts_[next_script_];
        next_script_ += next_script_ + 1 < scripts_.size() ? 1 : 0;
        connection.peer.break_with(fault_);
        connections_.push_back(std::move(made));
        connection.thread = std::thread([this, &connection, script] { run(connection, *script); });
    }
}

void ScriptedServer::run(Connection& connection, const Script& script) {
    for (const Step& step : script) {
        if (!step(connection.peer)) {
            break;
        }
    }
    connection.peer.close();
    connection.done.open();
}

namespace step {

Step read_bytes(std::size_t count) {
    return [count](Peer& peer) {
        while (peer.conversation().received.size() < count) {
            if (!peer.receive()) {
                return false;
            }
        }
        return true;
    };
}

Step read_request() {
    return [](Peer& peer) {
        peer.count_request();
        return peer.receive_requests(peer.requests());
    };
}

Step read_body(std::size_t size) {
    return [size](Peer& peer) {
        return peer.receive_body(size);
    };
}

Step send(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        return peer.send(bytes);
    };
}

Step send_pieces(std::vector<std::string> pieces) {
    return [pieces = std::move(pieces)](Peer& peer) {
        return std::ranges::all_of(
            pieces, [&](const std::string& piece) { return peer.send(piece) && peer.drain(); });
    };
}

Step send_repeated(std::string bytes, std::size_t count) {
    return [bytes = std::move(bytes), count](Peer& peer) {
        for (std::size_t i = 0; i < count; ++i) {
            if (!peer.send(bytes)) {
                return false;
            }
        }
        return true;
    };
}

Step wait_for_close() {
    return [](Peer& peer) {
        while (peer.receive()) {
        }
        return true;
    };
}

Step wait_for_stop() {
    return [](Peer& peer) {
        const Latch never;
        return peer.wait(never);
    };
}

Step pause(const Latch& until) {
    return [&until](Peer& peer) {
        return peer.wait(until);
    };
}

Step signal(Latch& latch) {
    return [&latch](Peer&) {
        latch.open();
        return true;
    };
}

Step tls(TlsScript script) {
    return [script = std::move(script)](Peer& peer) {
        return peer.handshake(script);
    };
}

Step shut_down_write() {
    return [](Peer& peer) {
        peer.shut_down_write();
        return true;
    };
}

Step close() {
    return [](Peer& peer) {
        peer.close();
        return true;
    };
}

Step drop() {
    return [](Peer& peer) {
        peer.drop();
        return true;
    };
}

Step reset() {
    return [](Peer& peer) {
        peer.reset();
        return true;
    };
}

}  // namespace step

RefusedPort::RefusedPort() : socket_(bind_loopback(SOCK_STREAM)), port_(port_of(socket_)) {}

RefusedPort::~RefusedPort() {
    ::close(socket_);
}

BlackHole::BlackHole() : listener_(bind_loopback(SOCK_STREAM)), port_(port_of(listener_)) {
    if (::listen(listener_, 0) < 0) {
        throw std::system_error(errno, std::generic_category(), "listen");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    // A queue of length 0 takes one connection; the loopback answers a SYN within the call, so the
    // first that is not connected at once shows that it is full.
    for (;;) {
        const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        fillers_.push_back(filler);
        ::connect(filler, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        pollfd waiting{filler, POLLOUT, 0};
        if (::poll(&waiting, 1, 100) == 0) {
            return;
        }
        if (fillers_.size() > 16) {
            throw std::runtime_error("the queue of a listener does not fill");
        }
    }
}

BlackHole::~BlackHole() {
    for (const int filler : fillers_) {
        ::close(filler);
    }
    ::close(listener_);
}

}  // namespace sonde::tests

// TCP servers that behave exactly as badly as a test needs: scripts of steps for each connection, a
// port that refuses, and one that never answers.
#pragma once

#include "tests/support/latch.hpp"
#include "tests/support/peer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sonde::tests {

/// One thing that a server does on a connection. False ends the script.
using Step = std::function<bool(Peer&)>;
/// After its last step the connection is closed (with close_notify where there is TLS).
using Script = std::vector<Step>;

enum class IpFamily : std::uint8_t { v4, v6 };

/// Plays scripts on 127.0.0.1 or [::1], each connection on a thread of its own. All members may be
/// called from any thread. Latches that steps refer to must outlive the server.
class ScriptedServer {
public:
    /// The first connection plays the first script, and so on; the last one is for all that follow.
    explicit ScriptedServer(std::vector<Script> scripts, IpFamily family = IpFamily::v4);
    ~ScriptedServer();  // ends scripts that still run and joins their threads
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    /// Replaces the scripts for connections to come (scripts may need to know port()).
    void play(std::vector<Script> scripts);

    /// For connections to come.
    void break_with(std::shared_ptr<Fault> fault);

    [[nodiscard]] std::uint16_t port() const { return port_; }

    /// "127.0.0.1:1234" or "[::1]:1234".
    [[nodiscard]] std::string address() const;
    /// "http://127.0.0.1:1234" + path.
    [[nodiscard]] std::string url(const std::string& path = "/",
                                  const std::string& scheme = "http") const;

    /// How many connections were accepted so far.
    [[nodiscard]] std::size_t accepted() const;
    /// Waits until `count` connections played their whole script, and returns what each of the
    /// accepted ones saw. Throws std::runtime_error after twenty seconds.
    [[nodiscard]] std::vector<Conversation> finished(std::size_t count = 1) const;

private:
    struct Connection;
    void accept_loop();
    void run(Connection& connection, const Script& script);

    IpFamily family_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    Latch stop_;
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<const Script>> scripts_;
    std::size_t next_script_ = 0;
    std::shared_ptr<Fault> fault_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::thread acceptor_;
};

namespace step {

/// Receives the next request (without a body) to its end.
Step read_request();
/// Receives until so many bytes have come in all.
Step read_bytes(std::size_t count);
/// Receives the body of the request that was read last.
Step read_body(std::size_t size);
Step send(std::string bytes);
/// Each piece alone: the next leaves when the one before is in the peer's kernel.
Step send_pieces(std::vector<std::string> pieces);
/// The same bytes `count` times, or until the peer is gone.
Step send_repeated(std::string bytes, std::size_t count);
/// Receives until the peer closes or resets.
Step wait_for_close();
/// Stands still until the test opens the latch.
Step pause(const Latch& until);
/// Neither reads nor writes any more, until the server is stopped.
Step wait_for_stop();
/// Tells the test that the script came to here.
Step signal(Latch& latch);
Step tls(TlsScript script);
Step shut_down_write();
Step close();
Step drop();
Step reset();

}  // namespace step

/// A port of 127.0.0.1 at which nobody listens and which nobody else gets while this lives.
class RefusedPort {
public:
    RefusedPort();
    ~RefusedPort();
    RefusedPort(const RefusedPort&) = delete;
    RefusedPort& operator=(const RefusedPort&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

/// A port of 127.0.0.1 that neither accepts nor refuses: the queue of its listener is full, so the
/// kernel drops each SYN.
class BlackHole {
public:
    BlackHole();
    ~BlackHole();
    BlackHole(const BlackHole&) = delete;
    BlackHole& operator=(const BlackHole&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int listener_;
    std::uint16_t port_ = 0;
    std::vector<int> fillers_;
};

}  // namespace sonde::tests

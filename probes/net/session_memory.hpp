// TLS sessions that the next handshake with the same server may resume. Holds only those of
// connections whose certificates were verified without any error, and only as long as these hold.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace sonde::probes::net {

/// One for each TLS context, shared by all threads. All members may be called from any thread.
class SessionMemory {
public:
    struct FreeSession {
        void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
    };

    using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

    struct Entry {
        Session session;
        // Of the certificates on which the session rests, in Unix seconds: what it is worth.
        std::int64_t verified_until = 0;
    };

    static constexpr std::size_t most_servers = 20'000;
    static constexpr std::size_t most_for_one = 8;

    /// `server`: the name that was verified and the address that was reached. Replaces the oldest
    /// of a server that has enough.
    void remember(const std::string& server, Entry entry);

    /// The latest that is still good at `now`; a null session when there is none. A session of TLS
    /// 1.3 is given once only (RFC 8446 appendix C.4).
    [[nodiscard]] Entry recall(const std::string& server, std::time_t now);

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::vector<Entry>> servers_;
    std::time_t sweep_at_ = 0;
};

}  // namespace sonde::probes::net

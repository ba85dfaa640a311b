// A name server on loopback UDP for tests: a zone of answers, good ones and every kind of failure.
#pragma once

#include "tests/support/latch.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sonde::tests {

enum class DnsCode : std::uint8_t { no_error = 0, server_failure = 2, name_error = 3, refused = 5 };

/// What the server says about a name.
struct DnsAnswer {
    std::vector<std::string> a;     // "192.0.2.1"
    std::vector<std::string> aaaa;  // "2001:db8::1"
    std::string cname;              // the records of that name follow when the zone has it
    DnsCode code = DnsCode::no_error;
    bool silent = false;          // no answer at all
    std::size_t ignore = 0;       // so many queries of each type stay unanswered first
    const Latch* hold = nullptr;  // answered once it opens; outlives the server
};

/// Answers on a thread of its own; what is held back delays nothing else. A name that is not in the
/// zone does not exist (NXDOMAIN). Names are written in lower case without a final dot.
class DnsServer {
public:
    explicit DnsServer(std::map<std::string, DnsAnswer> zone);
    ~DnsServer();
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;

    /// "127.0.0.1:1234".
    [[nodiscard]] std::string address() const;

    /// All queries in order of arrival, as "shop.example A".
    [[nodiscard]] std::vector<std::string> queries() const;

private:
    struct Query {
        std::string name;
        std::uint16_t type = 0;
        std::string packet;  // the answer goes back with its id and question
        std::size_t question_end = 0;
        std::string from;  // sockaddr of whoever asks
    };

    void loop();
    void receive();
    void answer(const Query& query, const DnsAnswer& what) const;
    [[nodiscard]] DnsAnswer find(const std::string& name) const;

    const std::map<std::string, DnsAnswer> zone_;
    int socket_;
    Latch stop_;
    std::vector<Query> held_;                     // thread of loop() only
    std::map<std::string, std::size_t> ignored_;  // the same
    mutable std::mutex mutex_;
    std::vector<std::string> queries_;
    std::thread thread_;
};

}  // namespace sonde::tests

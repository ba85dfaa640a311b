// The little of RFC 1035 that a test's name server needs: one question in, records without
// compression out.
#include "tests/support/dns_server.hpp"

#include "tests/support/loopback.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace sonde::tests {

namespace {

constexpr std::size_t header_size = 12;
constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_cname = 5;
constexpr std::uint16_t type_aaaa = 28;

void put16(std::string& out, std::size_t value) {
    out += static_cast<char>(value >> 8U);
    out += static_cast<char>(value);
}

std::string encode_name(std::string_view name) {
    std::string out;
    while (!name.empty()) {
        const std::string_view label = name.substr(0, name.find('.'));
        out += static_cast<char>(label.size());
        out += label;
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    out += '\0';
    return out;
}

void put_record(std::string& out,
                std::string_view name,
                std::uint16_t type,
                const std::string& data) {
    out += encode_name(name);
    put16(out, type);
    put16(out, 1);  // IN
    put16(out, 0);
    put16(out, 60);  // TTL
    put16(out, data.size());
    out += data;
}

std::string address_bytes(int family, const std::string& text) {
    std::array<char, 16> bytes{};
    if (::inet_pton(family, text.c_str(), bytes.data()) != 1) {
        throw std::runtime_error("not an address: " + text);
    }
    return {bytes.data(), family == AF_INET ? 4U : 16U};
}

/// Appends the answer records for a name; how many.
std::size_t put_addresses(std::string& out,
                          std::string_view name,
                          std::uint16_t type,
                          const DnsAnswer& what) {
    const bool six = type == type_aaaa;
    if (!six && type != type_a) {
        return 0;
    }
    for (const std::string& address : six ? what.aaaa : what.a) {
        put_record(out, name, type, address_bytes(six ? AF_INET6 : AF_INET, address));
    }
    return six ? what.aaaa.size() : what.a.size();
}

std::string_view type_name(std::uint16_t type) {
    return type == type_a ? "A" : type == type_aaaa ? "AAAA" : "other";
}

}  // namespace

DnsServer::DnsServer(std::map<std::string, DnsAnswer> zone)
    : zone_(std::move(zone)),
      socket_(bind_loopback(SOCK_DGRAM)),
      thread_([this] { loop(); }) {}

DnsServer::~DnsServer() {
    stop_.open();
    thread_.join();
    ::close(socket_);
}

std::string DnsServer::address() const {
    return "127.0.0.1:" + std::to_string(port_of(socket_));
}

std::vector<std::string> DnsServer::queries() const {
    const std::lock_guard lock(mutex_);
    return queries_;
}

DnsAnswer DnsServer::find(const std::string& name) const {
    const auto found = zone_.find(name);
    if (found != zone_.end()) {
        return found->second;
    }
    DnsAnswer missing;
    missing.code = DnsCode::name_error;
    return missing;
}

void DnsServer::loop() {
    while (!stop_.is_open()) {
        std::vector<pollfd> set{{stop_.descriptor(), POLLIN, 0}, {socket_, POLLIN, 0}};
        for (const Query& query : held_) {
            set.push_back({find(query.name).hold->descriptor(), POLLIN, 0});
        }
        ::poll(set.data(), set.size(), -1);
        if ((set[1].revents & POLLIN) != 0) {
            receive();
        }
        std::erase_if(held_, [this](const Query& query) {
            const DnsAnswer what = find(query.name);
            if (!what.hold->is_open()) {
                return false;
            }
            answer(query, what);
            return true;
        });
    }
}

void DnsServer::receive() {
    std::array<char, 1500> buffer;
    sockaddr_storage from{};
    socklen_t from_size = sizeof from;
    const ssize_t got = ::recvfrom(socket_,
                                   buffer.data(),
                                   buffer.size(),
                                   MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from),
                                   &from_size);
    if (got < static_cast<ssize_t>(header_size)) {
        return;
    }
    Query query;
    query.packet.assign(buffer.data(), static_cast<std::size_t>(got));
    query.from.assign(reinterpret_cast<const char*>(&from), from_size);
    std::size_t at = header_size;
    const auto byte = [&](std::size_t index) {
        return index < query.packet.size() ? static_cast<unsigned char>(query.packet[index]) : 0U;
    };
    while (const std::size_t size = byte(at)) {
        query.name += (query.name.empty() ? "" : ".") + query.packet.substr(at + 1, size);
        at += size + 1;
    }
    std::ranges::transform(query.name, query.name.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    query.type = static_cast<std::uint16_t>(byte(at + 1) << 8U | byte(at + 2));
    query.question_end = at + 5;
    const std::string shown = query.name + " " + std::string(type_name(query.type));
    {
        const std::lock_guard lock(mutex_);
        queries_.push_back(shown);
    }
    const DnsAnswer what = find(query.name);
    if (what.silent || ignored_[shown]++ < what.ignore) {
        return;
    }
    if (what.hold != nullptr && !what.hold->is_open()) {
        held_.push_back(std::move(query));
        return;
    }
    answer(query, what);
}

void DnsServer::answer(const Query& query, const DnsAnswer& what) const {
    std::string records;
    std::size_t count = 0;
    if (what.code == DnsCode::no_error && !what.cname.empty()) {
        put_record(records, query.name, type_cname, encode_name(what.cname));
        count = 1 + put_addresses(records, what.cname, query.type, find(what.cname));
    } else if (what.code == DnsCode::no_error) {
        count = put_addresses(records, query.name, query.type, what);
    }
    std::string out = query.packet.substr(0, 2);             // id
    put16(out, 0x8580U | static_cast<unsigned>(what.code));  // response, authoritative, recursion
    put16(out, 1);                                           // questions
    put16(out, count);
    put16(out, 0);
    put16(out, 0);
    out += query.packet.substr(header_size, query.question_end - header_size);
    out += records;
    ::sendto(socket_,
             out.data(),
             out.size(),
             0,
             reinterpret_cast<const sockaddr*>(query.from.data()),
             static_cast<socklen_t>(query.from.size()));
}

}  // namespace sonde::tests

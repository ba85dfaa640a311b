// Parses and binds listen addresses. Knows the two traps: stale unix socket files and dual-stack
// binds.
#include "exporter/server/listen_address.hpp"

#include "exporter/number_text.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sonde::exporter {

namespace asio = boost::asio;
using Generic = asio::generic::stream_protocol;
using boost::system::error_code;

namespace {

struct HostPort {
    std::string host;  // without brackets; empty: all addresses
    std::uint16_t port = 0;
    bool bracketed = false;
};

[[noreturn]] void refuse(const std::string& address, const std::error_code& why) {
    throw std::system_error(why, "cannot listen on " + address);
}

[[noreturn]] void refuse_syntax(const std::string& address) {
    throw std::system_error(
        std::make_error_code(std::errc::invalid_argument),
        "cannot listen on \"" + address +
            "\": expected \"host:port\", \"[v6]:port\", \":port\" or \"unix:/path\"");
}

std::optional<HostPort> parse_host_port(std::string_view text) {
    HostPort result;
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    auto host = text.substr(0, colon);
    const auto port = text.substr(colon + 1);
    if (host.starts_with('[')) {
        if (host.size() < 3 || !host.ends_with(']')) {
            return std::nullopt;
        }
        host = host.substr(1, host.size() - 2);
        result.bracketed = true;
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;  // an IPv6 address needs its brackets
    }
    const auto number = number_in<decltype(result.port)>(port);
    if (!number) {
        return std::nullopt;
    }
    result.port = *number;
    result.host = host;
    return result;
}

std::string show(const asio::ip::tcp::endpoint& endpoint) {
    const auto address = endpoint.address().to_string();
    const auto port = std::to_string(endpoint.port());
    return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

/// Opens, binds and listens; `error` says at which of them it ended.
template <typename Endpoint>
void bind_and_listen(Acceptor& acceptor,
                     const Endpoint& endpoint,
                     bool v6_only,
                     error_code& error) {
    const Generic::endpoint generic(endpoint.data(), endpoint.size());
    acceptor.open(generic.protocol(), error);
    if (!error && generic.protocol().family() != AF_UNIX) {
        acceptor.set_option(Acceptor::reuse_address(true), error);
    }
    if (!error && generic.protocol().family() == AF_INET6) {
        acceptor.set_option(asio::ip::v6_only(v6_only), error);
    }
    if (!error) {
        acceptor.bind(generic, error);
    }
    if (!error) {
        acceptor.listen(Acceptor::max_listen_connections, error);
    }
    if (error) {
        error_code ignored;
        acceptor.close(ignored);
    }
}

std::vector<asio::ip::tcp::endpoint> candidates(asio::io_context& context,
                                                const HostPort& wanted,
                                                error_code& error) {
    using asio::ip::tcp;
    if (wanted.host.empty()) {
        return {tcp::endpoint(tcp::v6(), wanted.port), tcp::endpoint(tcp::v4(), wanted.port)};
    }
    const auto literal = asio::ip::make_address(wanted.host, error);
    if (!error) {
        return {tcp::endpoint(literal, wanted.port)};
    }
    std::vector<tcp::endpoint> result;
    tcp::resolver resolver(context);
    const auto found = resolver.resolve(wanted.host,
                                        std::to_string(wanted.port),
                                        tcp::resolver::passive | tcp::resolver::numeric_service,
                                        error);
    for (const auto& entry : found) {
        result.push_back(entry.endpoint());
    }
    return result;
}

Listener open_tcp(asio::io_context& context, const std::string& address, const HostPort& wanted) {
    error_code error;
    const auto endpoints = candidates(context, wanted, error);
    if (endpoints.empty()) {
        refuse(address, error);
    }
    Acceptor acceptor(context);
    for (const auto& endpoint : endpoints) {
        bind_and_listen(acceptor, endpoint, wanted.bracketed, error);
        // Only a missing address family makes the next candidate worth a try: a port that is in use
        // must not end in half of the addresses.
        if (!error || (error != asio::error::address_family_not_supported &&
                       error != boost::system::errc::address_not_available)) {
            break;
        }
    }
    if (error) {
        refuse(address, error);
    }
    const auto bound = acceptor.local_endpoint();
    asio::ip::tcp::endpoint shown;
    shown.resize(bound.size());
    std::copy_n(reinterpret_cast<const char*>(bound.data()),
                bound.size(),
                reinterpret_cast<char*>(shown.data()));
    return {std::move(acceptor), show(shown), nullptr};
}

/// Removes a socket file that nobody listens on. Anything else is left for bind() to complain
/// about.
void remove_stale(asio::io_context& context,
                  const asio::local::stream_protocol::endpoint& endpoint) {
    struct ::stat status {};

    if (::lstat(endpoint.path().c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return;
    }
    error_code error;
    asio::local::stream_protocol::socket socket(context);
    socket.connect(endpoint, error);
    if (error == asio::error::connection_refused) {
        ::unlink(endpoint.path().c_str());
    }
}

Listener open_unix(asio::io_context& context, const std::string& address, const std::string& path) {
    if (path.size() >= sizeof(sockaddr_un{}.sun_path)) {
        refuse(address, std::make_error_code(std::errc::filename_too_long));
    }
    const asio::local::stream_protocol::endpoint endpoint(path);
    remove_stale(context, endpoint);
    Acceptor acceptor(context);
    error_code error;
    bind_and_listen(acceptor, endpoint, false, error);
    if (error) {
        refuse(address, error);
    }
    return {std::move(acceptor), address, std::make_unique<SocketFile>(path)};
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
    struct ::stat status {};

    if (::lstat(path_.c_str(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
}

SocketFile::~SocketFile() {
    struct ::stat status {};

    if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
}

Listener open_listener(asio::io_context& context, const std::string& address) {
    static constexpr std::string_view unix_prefix = "unix:";
    if (address.starts_with(unix_prefix)) {
        auto path = address.substr(unix_prefix.size());
        if (path.empty()) {
            refuse_syntax(address);
        }
        return open_unix(context, address, path);
    }
    const auto wanted = parse_host_port(address);
    if (!wanted) {
        refuse_syntax(address);
    }
    return open_tcp(context, address, *wanted);
}

}  // namespace sonde::exporter

// From the text of a listen address to a socket that listens on it, TCP or unix alike.
// Owns the life of a unix socket's file; accepting is the server's.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace sonde::exporter {

using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

/// Removes the file of a unix socket when it goes, unless another process has replaced it since.
class SocketFile {
public:
    explicit SocketFile(std::string path);
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;
    ~SocketFile();

private:
    std::string path_;
    unsigned long long device_ = 0;
    unsigned long long inode_ = 0;
};

struct Listener {
    Acceptor acceptor;
    std::string address;               // as bound, with the real port
    std::unique_ptr<SocketFile> file;  // of a unix socket
};

/// Opens "host:port", "[v6]:port" (IPv6 only), ":port" (IPv4 and IPv6, or IPv4 alone where the
/// system has no IPv6) or "unix:/path" (a file left by a process that is gone is replaced). A host
/// name is resolved at once, which may block. Throws std::system_error that names the address and
/// the reason.
[[nodiscard]] Listener open_listener(boost::asio::io_context& context, const std::string& address);

}  // namespace sonde::exporter

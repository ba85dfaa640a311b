// POSIX sockets and just enough HTTP/1.1 to read the server's answers.
#include "tests/exporter/server/http_client.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace sonde::exporter::test {

namespace {

int connect_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    const int handle = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(handle);
        throw std::runtime_error("cannot connect to " + path + ": " + std::strerror(errno));
    }
    return handle;
}

int connect_tcp(const std::string& address, int receive_buffer) {
    const auto port = static_cast<in_port_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    const bool v6 = address.starts_with('[');
    sockaddr_in v4_address{};
    v4_address.sin_family = AF_INET;
    v4_address.sin_port = htons(port);
    v4_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6_address{};
    v6_address.sin6_family = AF_INET6;
    v6_address.sin6_port = htons(port);
    v6_address.sin6_addr = in6addr_loopback;
    const int handle = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) {
        ::setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const auto* where = v6 ? reinterpret_cast<const sockaddr*>(&v6_address)
                           : reinterpret_cast<const sockaddr*>(&v4_address);
    const auto size = static_cast<socklen_t>(v6 ? sizeof v6_address : sizeof v4_address);
    if (::connect(handle, where, size) != 0) {
        ::close(handle);
        throw std::runtime_error("cannot connect to " + address + ": " + std::strerror(errno));
    }
    return handle;
}

}  // namespace

std::string HttpClient::Answer::field(std::string_view lower_case_name) const {
    const auto begin = header.find("\r\n" + std::string(lower_case_name) + ": ");
    if (begin == std::string::npos) {
        return {};
    }
    const auto value = begin + 2 + lower_case_name.size() + 2;
    return header.substr(value, header.find("\r\n", value) - value);
}

HttpClient::HttpClient(const std::string& address, int receive_buffer)
    : socket_(address.starts_with("unix:") ? connect_unix(address.substr(5))
                                           : connect_tcp(address, receive_buffer)) {
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

HttpClient::~HttpClient() {
    close();
}

bool HttpClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool HttpClient::fill() {
    std::array<char, 64 * 1024> piece;
    const auto count = ::recv(socket_, piece.data(), piece.size(), 0);
    if (count <= 0) {
        ended_ = count == 0 || errno == ECONNRESET;
        return false;
    }
    held_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
}

std::string HttpClient::take(std::size_t count) {
    while (held_.size() < count) {
        if (!fill()) {
            break;
        }
    }
    auto result = held_.substr(0, count);
    held_.erase(0, result.size());
    return result;
}

std::string HttpClient::take_line() {
    while (held_.find("\r\n") == std::string::npos) {
        if (!fill()) {
            return {};
        }
    }
    return take(held_.find("\r\n") + 2);
}

HttpClient::Answer HttpClient::receive(bool head) {
    Answer answer;
    while (held_.find("\r\n\r\n") == std::string::npos) {
        if (!fill()) {
            return answer;
        }
    }
    answer.header = take(held_.find("\r\n\r\n") + 4);
    std::ranges::transform(answer.header, answer.header.begin(), [](unsigned char letter) {
        return static_cast<char>(std::tolower(letter));
    });
    answer.status = std::stoi(answer.header.substr(9, 3));
    if (head || answer.status == 100 || answer.status == 204) {
        answer.complete = true;
    } else if (answer.field("transfer-encoding") == "chunked") {
        while (true) {
            const auto line = take_line();
            if (line.empty()) {
                return answer;
            }
            const auto size = std::stoul(line, nullptr, 16);
            answer.body += take(size);
            if (take(2) != "\r\n") {
                return answer;
            }
            if (size == 0) {
                answer.complete = true;
                break;
            }
        }
    } else if (const auto length = answer.field("content-length"); !length.empty()) {
        answer.body = take(std::stoul(length));
        answer.complete = answer.body.size() == std::stoul(length);
    } else {
        while (fill()) {
        }
        answer.body = std::exchange(held_, {});
        answer.complete = ended_;
    }
    return answer;
}

HttpClient::Answer HttpClient::get(std::string_view target, std::string_view more_fields) {
    send("GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more_fields) +
         "\r\n");
    return receive();
}

bool HttpClient::at_end() {
    while (fill()) {
    }
    return ended_;
}

bool HttpClient::skip(std::size_t count) {
    return take(count).size() == count;
}

void HttpClient::close() {
    if (socket_ >= 0) {
        ::close(std::exchange(socket_, -1));
    }
}

void HttpClient::reset() {
    const ::linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

}  // namespace sonde::exporter::test

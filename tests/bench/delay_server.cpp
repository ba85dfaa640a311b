// Answers every request after a fixed time, as exactly as the machine lets it: what truth is
// measured against.   delay_server PORT MILLISECONDS

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

struct Due {
    Clock::time_point at;
    int fd;
};

int listen_on(int port) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener, 4096) != 0) {
        std::perror("delay_server");
        std::exit(1);
    }
    return listener;
}

class Server {
public:
    Server(int port, std::chrono::milliseconds delay) : listener_(listen_on(port)), delay_(delay) {
        watch(listener_);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 256> events{};
        for (;;) {
            timespec wait{1, 0};
            if (!due_.empty()) {
                const auto left = std::max<Clock::duration>(due_.front().at - Clock::now(),
                                                            Clock::duration::zero());
                wait = {0, std::min<long>(std::chrono::nanoseconds(left).count(), 999'999'999)};
            }
            const int ready = epoll_pwait2(
                epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
            for (int i = 0; i < ready; ++i) {
                const int fd = events[static_cast<std::size_t>(i)].data.fd;
                fd == listener_ ? accept_all() : take_request(fd);
            }
            answer_due();
        }
    }

private:
    void watch(int fd) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    void accept_all() const {
        for (;;) {
            const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                return;
            }
            watch(fd);
        }
    }

    /// One read is one request: the clients here send theirs whole.
    void take_request(int fd) {
        std::array<char, 4096> request{};
        const ssize_t got = recv(fd, request.data(), request.size(), 0);
        epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
        if (got <= 0) {
            close(fd);
            return;
        }
        due_.push_back({Clock::now() + delay_, fd});
    }

    void answer_due() {
        while (!due_.empty() && due_.front().at <= Clock::now()) {
            const int fd = due_.front().fd;
            due_.pop_front();
            static_cast<void>(send(fd, answer.data(), answer.size(), MSG_NOSIGNAL));
            close(fd);
        }
    }

    int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    int listener_;
    std::chrono::milliseconds delay_;
    std::deque<Due> due_;  // one delay for all: in order
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: delay_server PORT MILLISECONDS\n");
        return 2;
    }
    Server(std::atoi(argv[1]), std::chrono::milliseconds(std::atoi(argv[2]))).run();
}

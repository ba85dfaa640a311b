// The limit: what the kernel and OpenSSL cost for an HTTP check with nothing around them. An epoll
// loop that opens a fresh connection, sends a request, reads the whole answer and closes; it takes
// no timestamps from the kernel and asks for no TCP_INFO.
//   bare_client PORT SECONDS [rate=N] [ca=FILE] [resume=1] [places=N]
// Without a rate each place starts its next check when the last one has ended.

#include "tests/bench/measure.hpp"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using sonde::bench::cpu_seconds;
using sonde::bench::percentile;

constexpr std::string_view request =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bare\r\nAccept: */*\r\nConnection: "
    "close\r\n\r\n";

enum class Step { connecting, handshake, sending, reading };

struct Place {
    int fd = -1;
    Step step = Step::connecting;
    SSL* ssl = nullptr;
    SSL_SESSION* session = nullptr;  // the latest, for the next handshake
    Clock::time_point began;
    std::size_t got = 0;
    std::size_t wanted = 0;  // header and body; 0: not known yet
    std::array<char, 8192> buffer{};
};

class Client {
public:
    Client(int port, int places, double rate, const std::string& ca, bool resume)
        : places_(static_cast<std::size_t>(places)),
          rate_(rate) {
        address_.sin_family = AF_INET;
        address_.sin_port = htons(static_cast<std::uint16_t>(port));
        inet_pton(AF_INET, "127.0.0.1", &address_.sin_addr);
        if (!ca.empty()) {
            tls_ = SSL_CTX_new(TLS_client_method());
            SSL_CTX_load_verify_locations(tls_, ca.c_str(), nullptr);
            SSL_CTX_set_verify(tls_, SSL_VERIFY_PEER, nullptr);
            SSL_CTX_set_session_cache_mode(tls_, SSL_SESS_CACHE_OFF);
            if (resume) {
                SSL_CTX_set_session_cache_mode(tls_,
                                               SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
                SSL_CTX_sess_set_new_cb(tls_, &Client::on_session);
            }
        }
        free_.resize(places_.size());
        for (std::size_t i = 0; i < free_.size(); ++i) {
            free_[i] = i;
        }
        milliseconds.reserve(4'000'000);
    }

    void run(double seconds) {
        const auto start = Clock::now();
        const auto end = start + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(seconds));
        std::array<epoll_event, 256> events{};
        double started = 0;
        while (Clock::now() < end || free_.size() < places_.size()) {
            timespec wait{0, 100'000'000};
            if (Clock::now() < end) {
                const std::chrono::duration<double> passed = Clock::now() - start;
                while (!free_.empty() && (rate_ == 0 || started < passed.count() * rate_)) {
                    begin();
                    ++started;
                }
                if (rate_ != 0) {
                    const double next = started / rate_ - passed.count();
                    wait.tv_nsec = static_cast<long>(std::clamp(next, 0.0, 0.1) * 999'999'999);
                }
            }
            const int ready = epoll_pwait2(
                epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
            for (int i = 0; i < ready; ++i) {
                drive(events[static_cast<std::size_t>(i)].data.u64);
            }
        }
    }

    std::vector<double> milliseconds;
    std::size_t errors = 0;

private:
    void begin() {
        const std::size_t index = free_.back();
        free_.pop_back();
        Place& place = places_[index];
        place.got = place.wanted = 0;
        place.step = Step::connecting;
        place.began = Clock::now();
        place.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(place.fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0 &&
            errno != EINPROGRESS) {
            finish(index, false);
            return;
        }
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.u64 = index;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, place.fd, &event);
    }

    void finish(std::size_t index, bool good) {
        Place& place = places_[index];
        if (place.ssl != nullptr) {
            // OpenSSL spoils the session of what it did not see end.
            SSL_set_shutdown(place.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
            SSL_free(place.ssl);
            place.ssl = nullptr;
        }
        close(place.fd);
        if (good) {
            milliseconds.push_back(
                std::chrono::duration<double, std::milli>(Clock::now() - place.began).count());
        } else {
            ++errors;
        }
        free_.push_back(index);
    }

    void drive(std::size_t index) {
        Place& place = places_[index];
        if (place.step == Step::connecting) {
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(place.fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) {
                finish(index, false);
                return;
            }
            place.step = tls_ != nullptr ? Step::handshake : Step::sending;
            if (tls_ != nullptr) {
                place.ssl = SSL_new(tls_);
                SSL_set_fd(place.ssl, place.fd);
                SSL_set_tlsext_host_name(place.ssl, "localhost");
                SSL_set1_host(place.ssl, "localhost");
                SSL_set_app_data(place.ssl, &place);
                if (place.session != nullptr) {
                    SSL_set_session(place.ssl, place.session);
                }
                SSL_set_connect_state(place.ssl);
            }
        }
        if (place.step == Step::handshake) {
            const int done = SSL_do_handshake(place.ssl);
            if (done != 1) {
                if (!wants_more(place, done)) {
                    finish(index, false);
                }
                return;
            }
            place.step = Step::sending;
        }
        if (place.step == Step::sending) {
            if (write(place) != static_cast<ssize_t>(request.size())) {
                finish(index, false);
                return;
            }
            place.step = Step::reading;
            return;
        }
        receive(index);
    }

    void receive(std::size_t index) {
        Place& place = places_[index];
        for (;;) {
            const ssize_t got = read(place);
            if (got <= 0) {
                const bool waits = tls_ != nullptr ? wants_more(place, static_cast<int>(got))
                                                   : got < 0 && errno == EAGAIN;
                if (!waits) {
                    finish(index, false);
                }
                return;
            }
            place.got += static_cast<std::size_t>(got);
            if (is_whole(place)) {
                finish(index, true);
                return;
            }
        }
    }

    static bool is_whole(Place& place) {
        const std::string_view text(place.buffer.data(), place.got);
        if (place.wanted == 0) {
            const auto end = text.find("\r\n\r\n");
            const auto length = text.find("Content-Length: ");
            if (end == std::string_view::npos || length == std::string_view::npos) {
                return false;
            }
            place.wanted = end + 4 + std::strtoul(text.data() + length + 16, nullptr, 10);
        }
        return place.got >= place.wanted;
    }

    static int on_session(SSL* ssl, SSL_SESSION* session) {
        auto& place = *static_cast<Place*>(SSL_get_app_data(ssl));
        SSL_SESSION_free(std::exchange(place.session, session));
        return 1;
    }

    [[nodiscard]] bool wants_more(const Place& place, int returned) const {
        return SSL_get_error(place.ssl, returned) == SSL_ERROR_WANT_READ;
    }

    ssize_t write(Place& place) const {
        return tls_ != nullptr
                   ? SSL_write(place.ssl, request.data(), static_cast<int>(request.size()))
                   : send(place.fd, request.data(), request.size(), MSG_NOSIGNAL);
    }

    ssize_t read(Place& place) const {
        char* const at = place.buffer.data() + place.got;
        const std::size_t room = place.buffer.size() - place.got;
        return tls_ != nullptr ? SSL_read(place.ssl, at, static_cast<int>(room))
                               : recv(place.fd, at, room, 0);
    }

    int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    std::vector<Place> places_;
    std::vector<std::size_t> free_;
    double rate_;
    sockaddr_in address_{};
    SSL_CTX* tls_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr,
                     "usage: bare_client PORT SECONDS [rate=N] [ca=FILE] [resume=1] [places=N]\n");
        return 2;
    }
    std::map<std::string, std::string> options{{"rate", "0"}, {"ca", ""}, {"places", "64"}};
    for (int i = 3; i < argc; ++i) {
        const std::string word = argv[i];
        options[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
    Client client(std::atoi(argv[1]),
                  std::stoi(options["places"]),
                  std::stod(options["rate"]),
                  options["ca"],
                  options["resume"] == "1");
    const double before = cpu_seconds();
    client.run(std::atof(argv[2]));
    const double used = cpu_seconds() - before;
    const auto checks = std::max<std::size_t>(1, client.milliseconds.size() + client.errors);
    std::printf("{\"n\":%zu,\"err\":%zu,\"cpu_us\":%.2f,\"ms_p50\":%.3f,\"ms_p99\":%.3f}\n",
                client.milliseconds.size(),
                client.errors,
                used * 1e6 / static_cast<double>(checks),
                percentile(client.milliseconds, 0.5),
                percentile(client.milliseconds, 0.99));
    return 0;
}

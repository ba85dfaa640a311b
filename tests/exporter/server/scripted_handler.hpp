// A server whose handler does what the path says, and what the tests see of it.
#pragma once

#include "exporter/server/server.hpp"

#include "tests/exporter/server/http_client.hpp"
#include "tests/exporter/server/running_server.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sonde::exporter::test {

inline constexpr std::size_t piece_size = 64 * 1024;

/// What the tests see of the handler's side.
struct Seen {
    std::atomic<std::size_t> pieces = 0;
    std::promise<void> source_gone;  // the first
    std::once_flag first_gone;
    std::promise<void> waiting;
    std::atomic<bool> wait_cancelled = false;
};

class Pieces final : public BodySource {
public:
    Pieces(std::shared_ptr<Seen> seen, std::size_t count, std::size_t fail_at)
        : seen_(std::move(seen)),
          count_(count),
          fail_at_(fail_at) {}

    ~Pieces() override {
        std::call_once(seen_->first_gone, [this] { seen_->source_gone.set_value(); });
    }

    bool next(std::string& out) override {
        const auto number = ++seen_->pieces;
        if (number == fail_at_) {
            throw std::runtime_error("the source is broken");
        }
        out.append(piece_size, static_cast<char>('a' + number % 26));
        return number < count_;
    }

private:
    std::shared_ptr<Seen> seen_;
    std::size_t count_;
    std::size_t fail_at_;
};

struct WaitCancelled {
    std::shared_ptr<Seen> seen;

    ~WaitCancelled() { seen->wait_cancelled = true; }
};

inline boost::asio::awaitable<void> wait_until_cancelled(std::shared_ptr<Seen> seen) {
    const WaitCancelled tell{seen};
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    boost::asio::steady_timer::time_point::max());
    seen->waiting.set_value();
    co_await timer.async_wait(boost::asio::use_awaitable);
}

inline std::size_t number(const HttpRequest& request, std::string_view name) {
    const auto text = request.parameter(name);
    return text ? std::stoul(std::string(*text)) : 0;
}

inline boost::asio::awaitable<HttpResponse> answer(std::shared_ptr<Seen> seen,
                                                   const HttpRequest& request) {
    HttpResponse response;
    if (request.path == "/stream") {
        response.source =
            std::make_unique<Pieces>(seen, number(request, "pieces"), number(request, "fail_at"));
    } else if (request.path == "/throw") {
        throw std::runtime_error("a bug in a handler");
    } else if (request.path == "/wait") {
        co_await wait_until_cancelled(seen);
    } else if (request.path == "/empty") {
        response.status = 204;
    } else {
        response.headers.emplace_back("X-Test", "yes");
        response.body = request.method + " " + request.path;
        for (const auto& [key, value] : request.query) {
            response.body += " " + key + "=" + value;
        }
        response.body += " " + request.body;
    }
    co_return response;
}

struct Fixture {
    explicit Fixture(HttpServer::Limits limits = {}, const std::string& listen_on = "127.0.0.1:0")
        : server([state = seen](const HttpRequest& request) { return answer(state, request); },
                 limits,
                 listen_on) {}

    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
    RunningServer server;
};

/// Asks for 1 GiB that nobody reads.
inline void ask_for_too_much(HttpClient& client) {
    client.send("GET /stream?pieces=16384 HTTP/1.1\r\nHost: a\r\n\r\n");
}

}  // namespace sonde::exporter::test

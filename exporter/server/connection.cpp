// One connection: request after request, and how answers go out.
#include "exporter/server/connection.hpp"

#include "exporter/log.hpp"
#include "exporter/server/request_reader.hpp"
#include "exporter/server/watchdog.hpp"
#include "probes/net/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sonde::exporter {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto await = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds linger{1};
constexpr std::size_t linger_bytes = 256 * 1024;

/// Counts an answer that is made piece by piece, while it lasts.
class StreamPlace {
public:
    explicit StreamPlace(std::size_t& count) : count_(count) { ++count_; }

    StreamPlace(const StreamPlace&) = delete;
    StreamPlace& operator=(const StreamPlace&) = delete;

    ~StreamPlace() { --count_; }

private:
    std::size_t& count_;
};

class Connection {
public:
    Connection(ClientSocket socket, std::shared_ptr<ConnectionShared> shared)
        : socket_(std::move(socket)),
          watchdog_(socket_),
          shared_(std::move(shared)),
          reader_(socket_, watchdog_, *shared_) {
        error_code ignored;  // a unix socket has no such option
        socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    }

    asio::awaitable<void> serve();
    asio::awaitable<void> refuse(Refusal refusal);

private:
    asio::awaitable<HttpResponse> ask_handler(const HttpRequest& request);
    asio::awaitable<bool> send(HttpResponse response, Question question);
    asio::awaitable<bool> send_whole(const HttpResponse& response,
                                     Question question,
                                     std::string body);
    asio::awaitable<bool> send_stream(const HttpResponse& response,
                                      Question question,
                                      std::string piece);
    asio::awaitable<bool> write(std::array<std::string_view, 3> parts);
    asio::awaitable<void> close_gently();

    ClientSocket socket_;
    HttpWatchdog watchdog_;
    std::shared_ptr<ConnectionShared> shared_;
    RequestReader reader_;
};

asio::awaitable<void> Connection::serve() {
    while (true) {
        const bool more = co_await reader_.wait_for_first_byte();
        if (!more) {
            co_return;
        }
        auto incoming = co_await reader_.receive();
        if (std::holds_alternative<Ended>(incoming)) {
            co_return;
        }
        if (auto* refusal = std::get_if<Refusal>(&incoming)) {
            co_await refuse(std::move(*refusal));
            co_return;
        }
        auto& received = std::get<Received>(incoming);
        auto response = co_await ask_handler(received.request);
        received.question.keep_alive = received.question.keep_alive && !shared_->draining;
        const bool keep = co_await send(std::move(response), received.question);
        if (!keep) {
            co_return;
        }
    }
}

asio::awaitable<void> Connection::refuse(Refusal refusal) {
    auto response = plain_answer(refusal.status, refusal.why);
    if (refusal.status == 503) {
        response.headers.emplace_back("Retry-After", "1");
    }
    const Question unknown;
    co_await send(std::move(response), unknown);
}

asio::awaitable<HttpResponse> Connection::ask_handler(const HttpRequest& request) {
    try {
        auto response = co_await shared_->handler(request);
        co_return response;
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) {
            throw;  // the server shuts down
        }
        log::error("a request failed",
                   {{"method", request.method}, {"path", request.path}, {"error", error.what()}});
    } catch (const std::exception& error) {
        log::error("a request failed",
                   {{"method", request.method}, {"path", request.path}, {"error", error.what()}});
    }
    co_return plain_answer(500, "see the log");
}

/// True: the connection can take another request.
asio::awaitable<bool> Connection::send(HttpResponse response, Question question) {
    if (response.source && !question.head && shared_->streams >= shared_->limits.streams) {
        // Each holds a compressor and a connection for as long as its reader likes.
        response = plain_answer(503, "too many answers under way");
        response.headers.emplace_back("Retry-After", "1");
    }
    std::string first = std::move(response.body);
    if (response.source) {
        // The first piece is made before the header goes out: most failures show here, while an
        // honest 500 is still possible, and a body of one piece needs no chunks.
        first.clear();
        try {
            if (!response.source->next(first)) {
                response.source.reset();
            }
        } catch (const std::exception& error) {
            log::error("making an answer failed", {{"error", error.what()}});
            response = plain_answer(500, "see the log");
            first = std::move(response.body);
        }
    }
    const bool streamed = response.source != nullptr;
    if (streamed && question.version < 11) {
        question.keep_alive = false;  // the end of the connection is the end of the body
    }
    bool sent = false;
    if (streamed) {
        sent = co_await send_stream(response, question, std::move(first));
    } else {
        sent = co_await send_whole(response, question, std::move(first));
    }
    if (sent && !question.keep_alive) {
        co_await close_gently();
    }
    co_return sent&& question.keep_alive;
}

asio::awaitable<bool> Connection::send_whole(const HttpResponse& response,
                                             Question question,
                                             std::string body) {
    const auto header =
        response_header(response, {question.version, question.keep_alive, body.size()});
    if (question.head) {
        body.clear();
    }
    const bool sent = co_await write({header, body, {}});
    co_return sent;
}

asio::awaitable<bool> Connection::send_stream(const HttpResponse& response,
                                              Question question,
                                              std::string piece) {
    const bool chunked = question.version >= 11;
    auto before = response_header(response, {question.version, question.keep_alive, std::nullopt});
    if (question.head) {
        const bool sent = co_await write({before, {}, {}});
        co_return sent;
    }
    const StreamPlace place(shared_->streams);
    const auto end_at = probes::net::Clock::system().now() + shared_->limits.answer;
    for (bool more = true; more;) {
        if (probes::net::Clock::system().now() >= end_at) {
            co_return false;
        }
        // The next piece is made only after the last was taken: that is all there is in memory. An
        // empty chunk would end the body, so an empty piece is none.
        const bool chunk = chunked && !piece.empty();
        if (chunk) {
            before += fmt::format("{:x}\r\n", piece.size());
        }
        const bool sent = co_await write({before, piece, chunk ? "\r\n" : ""});
        if (!sent) {
            co_return false;  // the client went away, or is too slow: no error of ours
        }
        before.clear();
        piece.clear();
        try {
            more = response.source->next(piece);
        } catch (const std::exception& error) {
            // Closing without the last chunk tells the client that the body is not whole.
            log::error("an answer ended early", {{"error", error.what()}});
            co_return false;
        }
    }
    const std::string_view last_chunk = "0\r\n\r\n";
    if (chunked && !piece.empty()) {
        before = fmt::format("{:x}\r\n", piece.size());
    }
    const std::string_view end = piece.empty() ? last_chunk : "\r\n0\r\n\r\n";
    const bool sent = co_await write({before, piece, chunked ? end : ""});
    co_return sent;
}

/// Writes all three within the time limit; false: that failed.
asio::awaitable<bool> Connection::write(std::array<std::string_view, 3> parts) {
    watchdog_.expect_within(shared_->limits.write);
    const std::array<asio::const_buffer, 3> buffers{
        asio::buffer(parts[0]), asio::buffer(parts[1]), asio::buffer(parts[2])};
    const auto [error, count] = co_await asio::async_write(socket_, buffers, await);
    co_return !error;
}

/// RFC 9112 section 9.6: closing while the client still sends makes the kernel reset the
/// connection, and the reset can overtake the answer. So: half-close, and read until the client
/// closes too.
asio::awaitable<void> Connection::close_gently() {
    error_code ignored;
    socket_.shutdown(ClientSocket::shutdown_send, ignored);
    watchdog_.expect_within(linger);
    std::array<char, 4096> rest{};
    for (std::size_t total = 0; total < linger_bytes;) {
        const auto [error, count] = co_await socket_.async_read_some(asio::buffer(rest), await);
        if (error || watchdog_.fired()) {
            co_return;
        }
        total += count;
    }
}

}  // namespace

asio::awaitable<void> serve_connection(ClientSocket socket,
                                       std::shared_ptr<ConnectionShared> shared) {
    Connection connection(std::move(socket), std::move(shared));
    co_await connection.serve();
}

asio::awaitable<void> refuse_connection(ClientSocket socket,
                                        std::shared_ptr<ConnectionShared> shared) {
    Connection connection(std::move(socket), std::move(shared));
    // Named: g++ 12 destroys an aggregate temporary in a co_await expression twice.
    Refusal refusal{503, "too many connections"};
    co_await connection.refuse(std::move(refusal));
}

}  // namespace sonde::exporter

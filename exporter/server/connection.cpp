// HTTP/1.1 framing of one connection. The only file that includes Beast's HTTP (slow to compile).
#include "exporter/server/connection.hpp"

#include "exporter/log.hpp"
#include "exporter/server/watchdog.hpp"
#include "probes/net/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sonde::exporter {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

namespace {

using Parser = http::request_parser<http::string_body>;

constexpr auto await = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view timeout_text = "the request did not arrive in time";
constexpr std::size_t read_ahead = 16 * 1024;  // of pipelined requests
constexpr std::chrono::seconds linger{1};
constexpr std::size_t linger_bytes = 256 * 1024;

/// What an answer needs to know of its question.
struct Question {
    unsigned version = 11;
    bool head = false;
    bool keep_alive = false;
};

struct Received {
    HttpRequest request;
    Question question;
};

/// A request that is answered here, without the handler; the connection ends with it.
struct Refusal {
    unsigned status;
    std::string why;
};

/// Nothing more to read, and nobody to answer.
struct Ended {};

using Incoming = std::variant<Received, Refusal, Ended>;

Incoming refusal_of(const error_code& error, const HttpServer::Limits& limits) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return Refusal{431, fmt::format("the header is larger than {} bytes", limits.header_bytes)};
    }
    if (error == http::error::body_limit) {
        return Refusal{413, fmt::format("the body is larger than {} bytes", limits.body_bytes)};
    }
    if (error == http::error::end_of_stream || error == http::error::partial_message) {
        return Ended{};
    }
    if (error.category() == make_error_code(http::error::bad_version).category()) {
        return Refusal{400, error.message()};
    }
    return Ended{};  // the connection broke
}

Incoming to_request(Parser& parser) {
    auto& message = parser.get();
    Received received;
    received.question.version = message.version();
    received.question.head = message.method() == http::verb::head;
    received.question.keep_alive = message.keep_alive();
    // RFC 9112 section 3.2: exactly one Host in HTTP/1.1.
    const auto hosts = message.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && message.version() >= 11)) {
        return Refusal{400, "a request needs exactly one Host header"};
    }
    auto& request = received.request;
    request.method = std::string(message.method_string());
    if (!parse_request_target(message.target(), request)) {
        return Refusal{400, "malformed request target"};
    }
    for (const auto& field : message) {
        std::string name(field.name_string());
        std::ranges::transform(name, name.begin(), [](char letter) {
            return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
        });
        auto& value = request.headers[std::move(name)];
        if (!value.empty()) {
            value += ", ";
        }
        value += std::string_view(field.value());
    }
    request.body = std::move(message.body());
    return received;
}

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
          buffer_(shared->limits.header_bytes + read_ahead),
          shared_(std::move(shared)) {
        error_code ignored;  // a unix socket has no such option
        socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    }

    asio::awaitable<void> serve();
    asio::awaitable<void> refuse(Refusal refusal);

private:
    asio::awaitable<bool> wait_for_first_byte();
    asio::awaitable<Incoming> receive();
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
    beast::flat_buffer buffer_;
    std::shared_ptr<ConnectionShared> shared_;
};

asio::awaitable<void> Connection::serve() {
    while (true) {
        const bool more = co_await wait_for_first_byte();
        if (!more) {
            co_return;
        }
        auto incoming = co_await receive();
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

/// False: the client closed, was silent for too long, or the server drains.
asio::awaitable<bool> Connection::wait_for_first_byte() {
    watchdog_.expect_within(shared_->limits.idle);
    while (true) {
        // RFC 9112 section 2.2: empty lines before a request are ignored.
        const std::string_view held(static_cast<const char*>(buffer_.cdata().data()),
                                    buffer_.size());
        buffer_.consume(std::min(held.find_first_not_of("\r\n"), held.size()));
        if (buffer_.size() > 0) {
            co_return true;
        }
        if (shared_->draining) {
            co_return false;
        }
        shared_->idle.push_back(&socket_);
        const auto [error, count] = co_await socket_.async_read_some(buffer_.prepare(1024), await);
        std::erase(shared_->idle, &socket_);
        if (error || watchdog_.fired()) {
            co_return false;
        }
        buffer_.commit(count);
    }
}

asio::awaitable<Incoming> Connection::receive() {
    const auto& limits = shared_->limits;
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser.body_limit(limits.body_bytes);
    watchdog_.expect_within(limits.request);  // for header and body together
    const auto [header_error, header_size] =
        co_await http::async_read_header(socket_, buffer_, parser, await);
    if (watchdog_.fired()) {
        co_return Refusal{408, std::string(timeout_text)};
    }
    if (header_error) {
        co_return refusal_of(header_error, limits);
    }
    const std::string_view expect = parser.get()[http::field::expect];
    if (!expect.empty() && !parser.is_done() && parser.get().version() >= 11) {
        if (!beast::iequals(expect, "100-continue")) {
            co_return Refusal{417, "the only expectation known is 100-continue"};
        }
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        const auto [error, count] = co_await asio::async_write(socket_, asio::buffer(go_on), await);
        if (watchdog_.fired()) {
            co_return Refusal{408, std::string(timeout_text)};
        }
        if (error) {
            co_return Ended{};
        }
    }
    const auto [body_error, body_size] = co_await http::async_read(socket_, buffer_, parser, await);
    const bool too_late = watchdog_.fired();
    watchdog_.rest();
    if (too_late) {
        co_return Refusal{408, std::string(timeout_text)};
    }
    if (body_error) {
        co_return refusal_of(body_error, limits);
    }
    co_return to_request(parser);
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
    buffer_.clear();
    for (std::size_t total = 0; total < linger_bytes;) {
        const auto [error, count] = co_await socket_.async_read_some(buffer_.prepare(4096), await);
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

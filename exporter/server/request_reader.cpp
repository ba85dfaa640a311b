// The only file that includes Beast's HTTP parser (slow to compile).
#include "exporter/server/request_reader.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

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

}  // namespace

RequestReader::RequestReader(ClientSocket& socket, HttpWatchdog& watchdog, ConnectionShared& shared)
    : socket_(socket),
      watchdog_(watchdog),
      shared_(shared),
      buffer_(shared.limits.header_bytes + read_ahead) {}

asio::awaitable<bool> RequestReader::wait_for_first_byte() {
    watchdog_.expect_within(shared_.limits.idle);
    while (true) {
        // RFC 9112 section 2.2: empty lines before a request are ignored.
        const std::string_view held(static_cast<const char*>(buffer_.cdata().data()),
                                    buffer_.size());
        buffer_.consume(std::min(held.find_first_not_of("\r\n"), held.size()));
        if (buffer_.size() > 0) {
            co_return true;
        }
        if (shared_.draining) {
            co_return false;
        }
        shared_.idle.push_back(&socket_);
        const auto [error, count] = co_await socket_.async_read_some(buffer_.prepare(1024), await);
        std::erase(shared_.idle, &socket_);
        if (error || watchdog_.fired()) {
            co_return false;
        }
        buffer_.commit(count);
    }
}

asio::awaitable<Incoming> RequestReader::receive() {
    const auto& limits = shared_.limits;
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

}  // namespace sonde::exporter

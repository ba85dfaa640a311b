// One client connection of the HTTP server: reads requests, calls the handler, writes answers.
// Owns framing, limits and timeouts; accepting and counting connections is the server's.
#pragma once

#include "exporter/server/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::exporter {

using ClientSocket = boost::asio::generic::stream_protocol::socket;

/// What the connections of a server share. Used on the server's thread only.
struct ConnectionShared {
    HttpHandler handler;
    HttpServer::Limits limits;
    bool draining = false;  // answers under way are the last of their connection
    /// Connections that wait for a request's first byte, the one that waits longest first. One that
    /// is taken out is to be cancelled.
    std::deque<ClientSocket*> idle;
    std::size_t streams = 0;
};

/// Serves requests until either side closes, a limit is passed or the server drains. Cancellation
/// closes at once; nothing but operation_aborted is thrown.
[[nodiscard]] boost::asio::awaitable<void> serve_connection(
    ClientSocket socket, std::shared_ptr<ConnectionShared> shared);

/// Answers 503 without reading a request, and closes.
[[nodiscard]] boost::asio::awaitable<void> refuse_connection(
    ClientSocket socket, std::shared_ptr<ConnectionShared> shared);

/// How an answer goes out.
struct ResponseFraming {
    unsigned version = 11;  // of the request: 10 or 11
    bool keep_alive = false;
    std::optional<std::size_t>
        length;  // nothing: chunked, or until the connection's end in HTTP/1.0
};

/// Status line and header of an answer, with the empty line. Throws std::invalid_argument when a
/// field has a line break in it, which would let it forge others.
[[nodiscard]] std::string response_header(const HttpResponse& response, ResponseFraming framing);

/// "404 Not Found: why" as text.
[[nodiscard]] HttpResponse plain_answer(unsigned status, std::string_view why);

/// Fills path and query of `request` from a request-target (RFC 9112 section 3.2). False:
/// malformed.
[[nodiscard]] bool parse_request_target(std::string_view target, HttpRequest& request);

}  // namespace sonde::exporter

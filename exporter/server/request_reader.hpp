// Requests off one client socket: framing by Beast, limits and timeouts. Owns the bytes that were
// read ahead; answers nothing but 100 Continue.
#pragma once

#include "exporter/server/connection.hpp"
#include "exporter/server/watchdog.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <string>
#include <variant>

namespace sonde::exporter {

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

/// `socket`, `watchdog` and `shared` are the connection's and outlive it.
class RequestReader {
public:
    RequestReader(ClientSocket& socket, HttpWatchdog& watchdog, ConnectionShared& shared);

    /// False: the client closed, was silent for too long, or the server drains or needs its place.
    boost::asio::awaitable<bool> wait_for_first_byte();

    boost::asio::awaitable<Incoming> receive();

private:
    ClientSocket& socket_;
    HttpWatchdog& watchdog_;
    ConnectionShared& shared_;
    boost::beast::flat_buffer buffer_;
};

}  // namespace sonde::exporter

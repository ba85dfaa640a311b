// Sonde's own HTTP server: HTTP/1.1 on TCP and unix sockets, keep-alive, HEAD, limits and timeouts,
// compressed and streamed bodies. Owns connections; what is served comes from a Handler.
#pragma once

#include "exporter/server/body_source.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde::exporter {

struct HttpRequest {
    std::string method;
    std::string path;                                         // decoded, without the query
    std::vector<std::pair<std::string, std::string>> query;   // decoded once, in order
    std::map<std::string, std::string, std::less<>> headers;  // names in lower case
    std::string body;

    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

struct HttpResponse {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;                    // used when there is no source
    std::unique_ptr<BodySource> source;  // streamed (chunked) when set
};

/// Answers one request; runs on the server's executor. An exception that leaves it becomes a 500
/// and a log line.
using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

class HttpServer {
public:
    struct Limits {
        std::size_t header_bytes = 16 * 1024;
        std::size_t body_bytes = 64 * 1024;
        std::size_t connections = 512;     // one more takes the place of the longest idle one
        std::size_t streams = 40;          // answers under way that are made piece by piece
        std::chrono::seconds idle{75};     // keep-alive connection with no request
        std::chrono::seconds request{10};  // from a request's first byte to its last
        std::chrono::seconds write{30};    // for each piece of an answer
        std::chrono::seconds answer{300};  // for all pieces
    };

    HttpServer(boost::asio::io_context& context, HttpHandler handler, Limits limits);
    ~HttpServer();

    /// Binds "host:port", "[v6]:port", ":port" (all addresses) or "unix:/path" and starts to
    /// accept. Returns the bound address (the real port when 0 was asked for), or throws
    /// std::system_error whose text names the address.
    std::string listen(const std::string& address);

    /// Stops accepting, lets answers under way finish within `grace`, closes idle connections.
    /// Completes when the last connection has gone.
    boost::asio::awaitable<void> shut_down(std::chrono::nanoseconds grace);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::exporter

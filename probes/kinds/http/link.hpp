// An open connection for requests to one origin, with what was learnt when it was opened.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/net/connection.hpp"
#include "probes/net/connection_pool.hpp"
#include "probes/net/endpoint.hpp"
#include "probes/net/tls_context.hpp"
#include "probes/wire/http2_client.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace sonde::probes::http {

struct Link final : net::PooledConnection {
    explicit Link(const Env& env) : connection(env.reactor, env.clock) {}

    /// The server has not closed, and nothing has come since the last response but what HTTP/2
    /// says between requests, which is answered.
    [[nodiscard]] bool usable() override;

    /// Sends what HTTP/2 has to send, as far as the connection takes it now.
    net::IoResult flush();

    // Declared before the connection, which uses them to its end.
    std::shared_ptr<const net::TlsContext> tls_context;        // null: plain
    std::shared_ptr<const net::TlsContext> proxy_tls_context;  // null: none, or a plain proxy
    net::Connection connection;
    net::Endpoint endpoint;                    // of the server, or of the proxy that leads to it
    std::unique_ptr<wire::Http2Client> http2;  // null: HTTP/1.1
    bool connected = false;
    std::optional<TlsFacts> tls;
    std::uint32_t retransmits = 0;  // in the exchanges before
};

}  // namespace sonde::probes::http

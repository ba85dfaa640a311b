// The settings of an http check, decoded and checked. Read from the configuration here, used by
// every file of this folder; immutable afterwards.
#pragma once

#include "config/secret.hpp"
#include "config/table.hpp"
#include "probes/kinds/http/content_spec.hpp"
#include "probes/kinds/http/expectations.hpp"
#include "probes/kinds/http/proxy.hpp"
#include "probes/kinds/http/request_spec.hpp"
#include "probes/net/connection_pool.hpp"
#include "probes/net/dial_settings.hpp"
#include "probes/net/tls_context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sonde::probes::http {

class OAuthSource;

/// Whether HTTP/2 is spoken: where the server chooses it (ALPN), never, or without asking.
enum class Http2Use : std::uint8_t { automatic, never, prior_knowledge };

struct Spec {
    RequestSpec request;
    net::DialSettings dial;
    Proxies proxies;
    Expectations expect;
    ContentSpec content;
    bool follow_redirects = true;
    unsigned max_redirects = 10;
    bool cookies = true;         // those that a redirect sets go to where it leads
    bool until_decided = false;  // stop reading when every verdict is known
    std::uint64_t max_body = std::uint64_t{64} << 20;
    config::Text server_name;   // for SNI and the certificate's name; empty: the url's host
    std::size_t keep_body = 0;  // the receiver keeps so much of the decoded body
    bool insecure_skip_verify = false;
    bool resume_tls = false;
    Http2Use http2 = Http2Use::automatic;
    bool all_addresses = false;  // a check is one of every address of the target's host
    std::optional<net::ConnectionPool::Limits> pool;  // nothing: every request has its connection
    std::shared_ptr<const OAuthSource> oauth;         // null: none
    // By what connections to one place differ: those with equal ones may stand for each other. May
    // hold secrets.
    std::string connection_identity;
    std::shared_ptr<const net::TlsContext> tls;
    // Without the client's certificate: for other hosts, to which redirects lead.
    std::shared_ptr<const net::TlsContext> tls_elsewhere;
};

/// Reads and documents the keys of kind http. Null when anything was wrong; what, is in the table's
/// diagnostics.
[[nodiscard]] std::shared_ptr<const Spec> read_spec(config::Table& table);

}  // namespace sonde::probes::http

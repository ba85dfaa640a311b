// From the url to a TCP connection, and TLS with the server. (tunnel.cpp is the way through a
// proxy.)
#include "probes/kinds/http/opening.hpp"

#include "probes/kinds/http/tls_facts.hpp"
#include "probes/net/resolver.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

/// RFC 7301 section 3.1; the names are of RFC 9113 section 3.1 and RFC 7301 section 6.
std::string_view alpn_of(Http2Use use) {
    switch (use) {
        case Http2Use::automatic:
            return "\x02h2\x08http/1.1";
        case Http2Use::prior_knowledge:
            return "\x02h2";
        case Http2Use::never:
            break;
    }
    return "\x08http/1.1";
}

}  // namespace

asio::awaitable<bool> Opening::run() {
    leg_.link = std::make_unique<Link>(leg_.check.run.env);
    const bool to_tls = leg_.url.scheme() == "https";
    bool going = co_await resolve();
    if (going) {
        going = co_await connect();
    }
    if (going && leg_.proxy != nullptr && leg_.proxy->url.scheme() == "https") {
        going = co_await secure_proxy();
    }
    if (going && leg_.proxy != nullptr && leg_.proxy->tunnels(leg_.url)) {
        going = co_await open_tunnel();
    }
    if (going && to_tls) {
        going = co_await secure();
    }
    if (going && speaks_http2()) {
        leg_.link->http2 = std::make_unique<wire::Http2Client>();
        leg_.link->http2->reset();
    }
    co_return going;
}

bool Opening::speaks_http2() {
    net::TlsStream* const tls = leg_.connection().tls();
    return (leg_.check.spec.http2 == Http2Use::prior_knowledge && !leg_.is_passed_on()) ||
           (tls != nullptr && tls->alpn() == "h2");
}

asio::awaitable<bool> Opening::resolve() {
    Check& check = leg_.check;
    const Url& peer = leg_.proxy != nullptr ? leg_.proxy->url : leg_.url;
    const std::string host{peer.host()};
    const net::DialSettings& dial = check.spec.dial;
    net::Endpoint& endpoint = leg_.link->endpoint;
    if (check.pinned && leg_.proxy == nullptr && leg_.url.host() == check.target.host()) {
        endpoint = *check.pinned;
    } else if (const auto literal = net::Endpoint::from_literal(host)) {
        const auto chosen = dial.choose({&*literal, 1});
        if (!chosen) {
            co_return fail_resolve(host, "it is no " + dial.wanted() + " address");
        }
        endpoint = *chosen;
    } else {
        const net::TimePoint began = check.run.now();
        const net::Resolution answer =
            co_await check.run.env.resolver.resolve(host, dial.dns_servers);
        if (answer.cancelled || check.run.cancelled()) {
            co_return leg_.fail_waiting("the answer of the name server for " + host);
        }
        check.phase(Phase::resolve, began, check.run.now() - began);
        const auto chosen = dial.choose(answer.addresses);
        if (!chosen) {
            co_return fail_resolve(
                host, answer.addresses.empty() ? answer.error : "no " + dial.wanted() + " address");
        }
        endpoint = *chosen;
    }
    endpoint.set_port(peer.port());
    check.last_hop.address = endpoint;
    leg_.show_address();
    co_return true;
}

asio::awaitable<bool> Opening::connect() {
    Check& check = leg_.check;
    net::Stream& stream = leg_.connection().stream();
    const net::TimePoint began = check.run.now();
    net::IoResult io = stream.connect(leg_.link->endpoint, check.spec.dial.local);
    if (stream.local_end_failed()) {
        co_return fail_local_end(io.error);
    }
    net::TcpInfo info;
    while (io.wait) {
        const bool ready = co_await leg_.wait(*io.wait);
        if (!ready) {
            co_return leg_.fail_waiting("the TCP connection");
        }
        io = stream.connected(info);
    }
    leg_.link->connected = !io.error;
    if (leg_.link->connected || io.error == asio::error::connection_reset) {
        // The kernel's RTT of the handshake has no waiting of ours in it; after a lost SYN it has
        // none at all, or only that of the last try.
        const Duration seen = check.run.now() - began;
        const bool exact = info.rtt.count() > 0 && info.retransmits == 0;
        check.phase(Phase::connect, began, exact ? std::min<Duration>(info.rtt, seen) : seen);
    }
    co_return leg_.link->connected || leg_.fail_io(io.error, Phase::connect, "connecting to ");
}

asio::awaitable<bool> Opening::handshake(net::TlsStream& tls, std::string_view with) {
    for (;;) {
        const net::IoResult io = tls.handshake();
        if (io.error) {
            co_return leg_.fail_io(io.error, Phase::tls, "TLS handshake with " + std::string{with});
        }
        if (!io.wait) {
            co_return true;
        }
        const bool ready = co_await leg_.wait(*io.wait);
        if (!ready) {
            co_return leg_.fail_waiting("the TLS handshake");
        }
    }
}

asio::awaitable<bool> Opening::secure() {
    Check& check = leg_.check;
    const config::Text& own = check.spec.server_name;
    const bool named = !own.reveal().empty() && leg_.url.host() == check.target.host();
    const std::string name = named ? own.reveal() : std::string{leg_.url.host()};
    const net::TimePoint began = check.run.now();
    leg_.link->tls_context = leg_.form.to_own_host ? check.spec.tls : check.spec.tls_elsewhere;
    net::TlsRequest request{.name = name, .alpn = alpn_of(check.spec.http2), .resume_from = {}};
    // Whoever watches wants to see the certificates.
    if (check.spec.resume_tls && check.trace() == nullptr) {
        request.resume_from = name + ' ' + leg_.url.origin() + ' ' + leg_.link->endpoint.text();
    }
    net::TlsStream& tls = leg_.connection().start_tls(*leg_.link->tls_context, std::move(request));
    const bool shook = co_await handshake(tls, "");
    if (!shook) {
        co_return false;
    }
    // Up to the arrival of the server's last flight: the checking of certificates is our own time.
    leg_.phase_to_arrival(Phase::tls, began);
    co_return inspect_tls(named ? std::string{own.show()} : name);
}

bool Opening::inspect_tls(const std::string& name) {
    Check& check = leg_.check;
    const net::TlsStream& tls = *leg_.connection().tls();
    const net::TlsVerdict verdict = tls.verdict();
    leg_.link->tls = check.last_hop.tls = tls_facts(tls, verdict.verified());
    if (Trace* watcher = check.trace()) {
        describe_tls(tls, verdict, watcher->hop());
    }
    if (verdict.verified() || check.spec.insecure_skip_verify) {
        return true;
    }
    check.fail(verdict.failure,
               "certificate of " + leg_.peer() + " for " + name + ": " + verdict.detail);
    return false;
}

bool Opening::fail_resolve(const std::string& host, const std::string& why) {
    const ProxySpec* const proxy = leg_.proxy;
    leg_.check.fail(proxy != nullptr ? Failure::proxy_failed : Failure::resolve_failed,
                    "resolving " +
                        (proxy == nullptr   ? host
                         : proxy->is_secret ? "the proxy"
                                            : "the proxy " + host) +
                        ": " + why);
    return false;
}

bool Opening::fail_local_end(const boost::system::error_code& error) {
    const net::LocalEnd& local = leg_.check.spec.dial.local;
    const bool forbidden = error == boost::system::errc::operation_not_permitted ||
                           error == boost::system::errc::permission_denied;
    leg_.check.fail(
        forbidden ? Failure::permission_denied : Failure::unreachable,
        "connecting from " + (local.address ? local.address->address() : local.interface) +
            (local.address && !local.interface.empty() ? " on " + local.interface : "") + ": " +
            error.message());
    return false;
}

}  // namespace sonde::probes::http

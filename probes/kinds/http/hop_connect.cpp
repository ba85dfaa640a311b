// The first half of a hop: from the url to a connection with the server, or with a proxy that has
// opened the way to it.
#include "probes/kinds/http/hop.hpp"
#include "probes/net/resolver.hpp"
#include "probes/wire/http1_response.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

/// Of the answer to CONNECT only the words matter.
class TunnelSink final : public wire::Http1Sink {
public:
    void on_status(unsigned, unsigned, std::string_view text) override { reason = text; }

    void on_field(std::string_view, std::string_view) override {}

    void on_header_end() override {}

    [[nodiscard]] bool on_body(std::span<const char>) override { return false; }

    void on_trailer(std::string_view, std::string_view) override {}

    std::string reason;
};

}  // namespace

asio::awaitable<bool> Hop::resolve() {
    const Url& peer = proxy_ != nullptr ? proxy_->url : url_;
    const std::string host{peer.host()};
    const net::DialSettings& dial = check_.spec.dial;
    if (dial.pinned && url_.host() == check_.target.host()) {
        endpoint_ = *dial.pinned;
    } else if (const auto literal = net::Endpoint::from_literal(host)) {
        const auto chosen = dial.choose({&*literal, 1});
        if (!chosen) {
            co_return fail_resolve(host, "it is no " + dial.wanted() + " address");
        }
        endpoint_ = *chosen;
    } else {
        const net::TimePoint began = check_.run.now();
        const net::Resolution answer =
            co_await check_.run.env.resolver.resolve(host, dial.dns_servers);
        if (answer.cancelled || check_.run.cancelled()) {
            co_return fail_waiting("the answer of the name server for " + host);
        }
        check_.phase(Phase::resolve, began, check_.run.now() - began);
        const auto chosen = dial.choose(answer.addresses);
        if (!chosen) {
            co_return fail_resolve(
                host, answer.addresses.empty() ? answer.error : "no " + dial.wanted() + " address");
        }
        endpoint_ = *chosen;
    }
    endpoint_.set_port(peer.port());
    check_.last_hop.address = endpoint_;
    if (Trace* watcher = check_.trace()) {
        watcher->hop().address = endpoint_.text();
    }
    co_return true;
}

asio::awaitable<bool> Hop::connect() {
    const net::TimePoint began = check_.run.now();
    net::IoResult io = connection_.stream().connect(endpoint_, check_.spec.dial.local);
    if (connection_.stream().local_end_failed()) {
        co_return fail_local_end(io.error);
    }
    net::TcpInfo info;
    while (io.wait) {
        const bool ready = co_await wait(*io.wait);
        if (!ready) {
            co_return fail_waiting("the TCP connection");
        }
        io = connection_.stream().connected(info);
    }
    connected_ = !io.error;
    if (connected_ || io.error == asio::error::connection_reset) {
        // The kernel's RTT of the handshake has no waiting of ours in it; after a lost SYN it has
        // none at all, or only that of the last try.
        const Duration seen = check_.run.now() - began;
        const bool exact = info.rtt.count() > 0 && info.retransmits == 0;
        check_.phase(Phase::connect, began, exact ? std::min<Duration>(info.rtt, seen) : seen);
    }
    co_return connected_ || fail_io(io.error, Phase::connect, "connecting to ");
}

asio::awaitable<bool> Hop::open_tunnel() {
    const std::string request = connect_request(*proxy_, url_);
    const net::TimePoint began = check_.run.now();
    bool going = co_await write_all(request);
    TunnelSink sink;
    wire::Http1Response answer;
    answer.reset(true);
    wire::Http1Response::Fed fed{0, wire::Http1State::header};
    std::array<char, 1024> bytes{};
    std::size_t got = 0;
    while (going && fed.state == wire::Http1State::header) {
        const net::IoResult io = connection_.read(bytes);
        if (io.wait) {
            going = co_await wait(*io.wait);
            if (!going) {
                co_return fail_waiting("the proxy's answer to CONNECT");
            }
        } else if (io.error) {
            co_return fail_io(io.error, Phase::connect, "asking for a tunnel ");
        } else {
            got = io.bytes;
            fed = answer.feed(std::span{bytes}.first(got), sink);
        }
    }
    if (!going) {
        co_return false;
    }
    check_.phase(Phase::connect, began, std::max(connection_.stream().arrival(), began) - began);
    const bool opened = fed.state == wire::Http1State::complete && answer.status() / 100 == 2;
    if (opened && fed.consumed == got) {
        co_return true;
    }
    check_.fail(Failure::proxy_failed,
                peer() + ": " +
                    (opened ? "bytes of nobody's before the TLS handshake"
                     : fed.state == wire::Http1State::failed
                         ? std::string{answer.error_text()}
                         : "CONNECT was answered " + std::to_string(answer.status()) +
                               (sink.reason.empty() ? "" : " " + sink.reason)));
    co_return false;
}

bool Hop::fail_resolve(const std::string& host, const std::string& why) {
    const bool of_proxy = proxy_ != nullptr;
    check_.fail(of_proxy ? Failure::proxy_failed : Failure::resolve_failed,
                "resolving " +
                    (!of_proxy           ? host
                     : proxy_->is_secret ? "the proxy"
                                         : "the proxy " + host) +
                    ": " + why);
    return false;
}

bool Hop::fail_local_end(const boost::system::error_code& error) {
    const net::LocalEnd& local = check_.spec.dial.local;
    const bool forbidden = error == boost::system::errc::operation_not_permitted ||
                           error == boost::system::errc::permission_denied;
    check_.fail(forbidden ? Failure::permission_denied : Failure::unreachable,
                "connecting from " + (local.address ? local.address->address() : local.interface) +
                    (local.address && !local.interface.empty() ? " on " + local.interface : "") +
                    ": " + error.message());
    return false;
}

}  // namespace sonde::probes::http

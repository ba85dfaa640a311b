// The way through a proxy: TLS with the proxy itself, and the tunnel that it opens. All of it
// counts as connecting.
#include "probes/kinds/http/opening.hpp"
#include "probes/wire/http1_response.hpp"
#include "probes/wire/socks5.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

/// Of the answer to CONNECT only the words matter.
class TunnelSink final : public wire::ResponseSink {
public:
    void on_status(unsigned, unsigned, std::string_view text) override { reason = text; }

    void on_field(std::string_view, std::string_view) override {}

    void on_header_end() override {}

    [[nodiscard]] bool on_body(std::span<const char>) override { return false; }

    void on_trailer(std::string_view, std::string_view) override {}

    std::string reason;
};

constexpr std::string_view early_bytes =
    "bytes of nobody's before anything was asked of the server";

wire::Socks5Host socks_host(const Url& url) {
    const auto literal = net::Endpoint::from_literal(url.host());
    if (!literal) {
        return std::string{url.host()};
    }
    const std::string_view bytes = literal->bytes();
    if (literal->is_v6()) {
        std::array<std::uint8_t, 16> address{};
        std::memcpy(address.data(), bytes.data(), address.size());
        return address;
    }
    std::array<std::uint8_t, 4> address{};
    std::memcpy(address.data(), bytes.data(), address.size());
    return address;
}

}  // namespace

asio::awaitable<bool> Opening::secure_proxy() {
    Check& check = leg_.check;
    const net::TimePoint began = check.run.now();
    const std::string name{leg_.proxy->url.host()};
    leg_.link->proxy_tls_context = check.spec.tls_elsewhere;
    net::TlsRequest request{.name = name, .alpn = {}, .resume_from = {}};
    net::TlsStream& tls =
        leg_.connection().start_proxy_tls(*leg_.link->proxy_tls_context, std::move(request));
    const bool shook = co_await handshake(tls, "the proxy of ");
    if (!shook) {
        if (check.failure != Failure::timeout) {
            check.failure = Failure::proxy_failed;
        }
        co_return false;
    }
    leg_.phase_to_arrival(Phase::connect, began);
    const net::TlsVerdict verdict = tls.verdict();
    if (verdict.verified() || check.spec.insecure_skip_verify) {
        co_return true;
    }
    check.fail(Failure::proxy_failed,
               leg_.peer() + ": certificate of the proxy: " + verdict.detail);
    co_return false;
}

asio::awaitable<bool> Opening::write_all(std::span<const char> bytes) {
    while (!bytes.empty()) {
        const net::IoResult io = leg_.connection().write(bytes);
        if (io.error) {
            co_return leg_.fail_io(io.error, Phase::connect, "asking for a tunnel ");
        }
        if (io.wait) {
            const bool ready = co_await leg_.wait(*io.wait);
            if (!ready) {
                co_return leg_.fail_waiting("the proxy to take the request for a tunnel");
            }
        }
        bytes = bytes.subspan(io.bytes);
    }
    co_return true;
}

asio::awaitable<bool> Opening::open_tunnel() {
    const net::TimePoint began = leg_.check.run.now();
    const bool socks = leg_.proxy->speaks_socks();
    bool opened = false;
    if (socks) {
        opened = co_await ask_socks();
    } else {
        opened = co_await ask_http();
    }
    if (opened) {
        leg_.phase_to_arrival(Phase::connect, began);
    }
    co_return opened;
}

asio::awaitable<bool> Opening::ask_socks() {
    wire::Socks5Client client{
        socks_host(leg_.url),
        leg_.url.port(),
        leg_.proxy->username.empty()
            ? std::nullopt
            : std::optional{wire::Socks5Credentials{leg_.proxy->username, leg_.proxy->password}}};
    std::array<char, 1024> bytes{};
    wire::Socks5State state = client.state();
    bool surplus = false;
    while (state == wire::Socks5State::more) {
        const bool sent = co_await write_all(client.output());
        if (!sent) {
            co_return false;
        }
        net::IoResult io = leg_.connection().read(bytes);
        while (io.wait) {
            const bool ready = co_await leg_.wait(*io.wait);
            if (!ready) {
                co_return leg_.fail_waiting("the proxy's answer");
            }
            io = leg_.connection().read(bytes);
        }
        if (io.error && io.error != asio::error::eof) {
            co_return leg_.fail_io(io.error, Phase::connect, "asking for a tunnel ");
        }
        if (io.error) {
            state = client.finish();
        } else {
            const auto fed = client.feed(std::span{bytes}.first(io.bytes));
            state = fed.state;
            surplus = state == wire::Socks5State::connected && fed.consumed < io.bytes;
        }
    }
    if (state == wire::Socks5State::connected && !surplus) {
        co_return true;
    }
    leg_.check.fail(
        Failure::proxy_failed,
        leg_.peer() + ": " + (surplus ? std::string{early_bytes} : client.error_text()));
    co_return false;
}

asio::awaitable<bool> Opening::ask_http() {
    Check& check = leg_.check;
    const std::string request = connect_request(*leg_.proxy, leg_.url);
    bool going = co_await write_all(request);
    TunnelSink sink;
    wire::Http1Response answer;
    answer.reset(true);
    wire::Http1Response::Fed fed{0, wire::ResponseState::header};
    std::array<char, 1024> bytes{};
    std::size_t got = 0;
    while (going && fed.state == wire::ResponseState::header) {
        const net::IoResult io = leg_.connection().read(bytes);
        if (io.wait) {
            going = co_await leg_.wait(*io.wait);
            if (!going) {
                co_return leg_.fail_waiting("the proxy's answer to CONNECT");
            }
        } else if (io.error) {
            co_return leg_.fail_io(io.error, Phase::connect, "asking for a tunnel ");
        } else {
            got = io.bytes;
            fed = answer.feed(std::span{bytes}.first(got), sink);
        }
    }
    if (!going) {
        co_return false;
    }
    const bool opened = fed.state == wire::ResponseState::complete && answer.status() / 100 == 2;
    if (opened && fed.consumed == got) {
        co_return true;
    }
    check.fail(Failure::proxy_failed,
               leg_.peer() + ": " +
                   (opened ? std::string{early_bytes}
                    : fed.state == wire::ResponseState::failed
                        ? std::string{answer.error_text()}
                        : "CONNECT was answered " + std::to_string(answer.status()) +
                              (sink.reason.empty() ? "" : " " + sink.reason)));
    co_return false;
}

}  // namespace sonde::probes::http

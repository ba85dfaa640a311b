// The way through a proxy: TLS with the proxy itself, and the tunnel that it opens. All of it
// counts as connecting.
#include "probes/kinds/http/opening.hpp"
#include "probes/wire/http1_response.hpp"

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
    const net::TimePoint arrived = leg_.connection().stream().arrival();
    check.phase(Phase::connect, began, std::max(arrived, began) - began);
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
    Check& check = leg_.check;
    const std::string request = connect_request(*leg_.proxy, leg_.url);
    const net::TimePoint began = check.run.now();
    bool going = co_await write_all(request);
    TunnelSink sink;
    wire::Http1Response answer;
    answer.reset(true);
    wire::Http1Response::Fed fed{0, wire::Http1State::header};
    std::array<char, 1024> bytes{};
    std::size_t got = 0;
    while (going && fed.state == wire::Http1State::header) {
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
    const net::TimePoint arrived = leg_.connection().stream().arrival();
    check.phase(Phase::connect, began, std::max(arrived, began) - began);
    const bool opened = fed.state == wire::Http1State::complete && answer.status() / 100 == 2;
    if (opened && fed.consumed == got) {
        co_return true;
    }
    check.fail(Failure::proxy_failed,
               leg_.peer() + ": " +
                   (opened ? "bytes of nobody's before the TLS handshake"
                    : fed.state == wire::Http1State::failed
                        ? std::string{answer.error_text()}
                        : "CONNECT was answered " + std::to_string(answer.status()) +
                              (sink.reason.empty() ? "" : " " + sink.reason)));
    co_return false;
}

}  // namespace sonde::probes::http

#include "probes/kinds/http/leg.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <algorithm>
#include <chrono>

namespace sonde::probes::http {

namespace asio = boost::asio;

asio::awaitable<bool> Leg::wait(net::Direction direction) {
    // The operation itself is awaited, without a coroutine around it.
    constexpr auto direct = asio::as_tuple(asio::deferred);
    if (check.run.cancelled()) {
        co_return false;
    }
    const auto [aborted] = co_await connection().ready(direction, direct);
    co_return !aborted;
}

asio::awaitable<std::optional<net::Direction>> Leg::wait_either() {
    if (check.run.cancelled()) {
        co_return std::nullopt;
    }
    auto either = asio::experimental::make_parallel_group(
        connection().ready(net::Direction::read, asio::deferred),
        connection().ready(net::Direction::write, asio::deferred));
    const auto ended =
        co_await either.async_wait(asio::experimental::wait_for_one(), asio::deferred);
    if (check.run.cancelled()) {
        co_return std::nullopt;
    }
    const std::size_t first = std::get<0>(ended)[0];
    co_return first == 0 ? net::Direction::read : net::Direction::write;
}

void Leg::phase_to_arrival(Phase phase, net::TimePoint began) const {
    check.phase(phase, began, std::max(connection().stream().arrival(), began) - began);
}

bool Leg::fail_io(const boost::system::error_code& error, Phase phase, std::string_view doing) {
    const std::string text = error == asio::error::eof ? "the server closed the connection"
                                                       : connection().error_text(error);
    check.exhausted = is_exhaustion(error, phase);
    const Failure failure = proxy != nullptr && phase == Phase::connect && !check.exhausted
                                ? Failure::proxy_failed
                                : connection().failure(error, phase);
    check.fail(failure, std::string{doing} + peer() + ": " + text);
    return false;
}

bool Leg::fail_waiting(std::string_view for_what) {
    const auto timeout = std::chrono::round<std::chrono::milliseconds>(check.run.deadline.timeout);
    check.fail(Failure::timeout,
               "the deadline of " + std::to_string(timeout.count()) +
                   " ms passed while waiting for " + std::string{for_what} +
                   (check.last_hop.address ? " with " + peer() : ""));
    return false;
}

void Leg::show_address() const {
    if (Trace* watcher = check.trace()) {
        const bool hidden = proxy != nullptr && proxy->is_secret;
        watcher->hop().address = hidden ? "<secret>" : link->endpoint.text();
    }
}

std::string Leg::peer() const {
    const std::string_view host = proxy != nullptr ? proxy->url.host() : url.host();
    const std::string address = link ? link->endpoint.text() : std::string{};
    const std::string shown =
        net::Endpoint::from_literal(host) ? address : std::string{host} + " (" + address + ")";
    if (proxy == nullptr) {
        return shown;
    }
    return url.origin() + " through the proxy" + (proxy->is_secret ? "" : " " + shown);
}

}  // namespace sonde::probes::http

// A check at every address of a host.
#include "probes/kinds/http/check_run.hpp"
#include "probes/net/resolver.hpp"
#include "probes/run_context.hpp"
#include "probes/trace.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

/// So many, and no more series than these make.
constexpr std::size_t most_addresses = 32;

using Start = std::shared_ptr<CheckStart>;

/// The addresses that the settings allow; empty: the result is why not.
asio::awaitable<std::vector<net::Endpoint>> look_up(const RunContext& context,
                                                    Start start,
                                                    ProbeResult& result) {
    const net::DialSettings& dial = start->spec.dial;
    const std::string host{start->target.host()};
    if (dial.pinned) {
        co_return std::vector{*dial.pinned};
    }
    std::vector<net::Endpoint> found;
    std::string error;
    if (const auto literal = net::Endpoint::from_literal(host)) {
        found.push_back(*literal);
    } else {
        const net::TimePoint began = context.now();
        net::Resolution answer = co_await context.env.resolver.resolve(host, dial.dns_servers);
        if (answer.cancelled || context.cancelled()) {
            result = not_begun(
                context,
                Failure::timeout,
                "the deadline passed while waiting for the name server's answer for " + host);
            co_return std::vector<net::Endpoint>{};
        }
        start->resolve_time = context.now() - began;
        found = std::move(answer.addresses);
        error = answer.error;
    }
    std::vector<net::Endpoint> usable = dial.usable(found);
    // A name server may say one twice, and an address has one series.
    for (auto each = usable.begin(); each != usable.end();) {
        const bool seen =
            std::ranges::any_of(usable.begin(), each, [&](const net::Endpoint& other) {
                return other.address() == each->address();
            });
        each = seen ? usable.erase(each) : std::next(each);
    }
    if (usable.empty()) {
        result = not_begun(context,
                           Failure::resolve_failed,
                           "resolving " + host + ": " +
                               (found.empty() ? error : "no " + dial.wanted() + " address"));
    }
    if (start->resolve_time) {
        result.readings.set(Measurement::http_resolve, *start->resolve_time);
    }
    usable.resize(std::min(usable.size(), most_addresses));
    co_return usable;
}

/// What each address came to, and what they come to together.
ProbeResult combine(const std::vector<net::Endpoint>& addresses, std::vector<ProbeResult> results) {
    LabelledReadings readings;
    std::size_t failures = 0;
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const ProbeResult& each = results[i];
        const auto label =
            std::make_shared<const std::vector<std::string>>(1, addresses[i].address());
        const auto add = [&](Family family, double value) {
            readings.push_back({family, label, value});
        };
        add(Family::address_success, each.success() ? 1 : 0);
        add(Family::address_duration, std::chrono::duration<double>(each.duration).count());
        if (each.rtt) {
            add(Family::address_rtt, std::chrono::duration<double>(*each.rtt).count());
        }
        if (!each.success() && failures++ == 0) {
            chosen = i;
        }
    }
    const bool exhausted =
        std::ranges::any_of(results, [](const ProbeResult& each) { return each.exhausted; });
    std::uint32_t dead_connections = 0;
    for (const ProbeResult& each : results) {
        dead_connections += each.dead_connections;
    }
    // Of one address only: they may all have different bodies.
    const std::optional<Digest> body = results.front().body_digest;
    ProbeResult result = std::move(results[chosen]);
    result.dead_connections = dead_connections;
    result.body_digest = body;
    if (failures > 0) {
        result.detail = std::to_string(failures) + " of " + std::to_string(addresses.size()) +
                        " addresses failed, first " + addresses[chosen].address() + ": " +
                        result.detail;
    }
    result.exhausted = exhausted;
    result.labelled.insert(result.labelled.end(), readings.begin(), readings.end());
    return result;
}

}  // namespace

asio::awaitable<ProbeResult> run_at_all_addresses(Env env, Deadline deadline, CheckStart wanted) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const RunContext context{env, deadline, co_await asio::this_coro::cancellation_state};
    const Start start = std::make_shared<CheckStart>(std::move(wanted));
    ProbeResult result;
    const std::vector<net::Endpoint> addresses = co_await look_up(context, start, result);
    if (addresses.empty()) {
        co_return result;
    }
    // Each has a trace of its own: their steps come at the same time.
    std::vector<Trace> traces(addresses.size());
    const auto begin = [&](std::size_t i) {
        CheckStart one = *start;
        one.address = addresses[i];
        Env own = env;
        own.trace = env.trace != nullptr ? &traces[i] : nullptr;
        return asio::co_spawn(
            env.executor, run_check(own, deadline, std::move(one)), asio::deferred);
    };
    std::vector<decltype(begin(0))> checks;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        checks.push_back(begin(i));
    }
    auto all = asio::experimental::make_parallel_group(std::move(checks));
    auto ended = co_await all.async_wait(asio::experimental::wait_for_all(), asio::deferred);
    auto& [order, errors, results] = ended;
    for (const std::exception_ptr& bug : errors) {
        if (bug) {
            std::rethrow_exception(bug);
        }
    }
    for (std::size_t i = 0; env.trace != nullptr && i < traces.size(); ++i) {
        env.trace->append(std::move(traces[i]));
    }
    result = combine(addresses, std::move(results));
    result.duration = context.now() - start->began_at.value_or(deadline.started());
    co_return result;
}

}  // namespace sonde::probes::http

#include "exporter/engine/single_check.hpp"

#include "probes/net/connection_pool.hpp"
#include "probes/net/reactor.hpp"
#include "probes/net/resolver.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace sonde::exporter {

SingleCheck run_single_check(const Job& job,
                             const config::Engine& settings,
                             const std::stop_token& stop) {
    boost::asio::io_context context{1};
    const auto& clock = probes::net::Clock::system();
    probes::net::Reactor reactor{context};
    probes::net::Resolver resolver{reactor, clock, {.servers = settings.dns_servers}};
    probes::net::ConnectionPool connections{reactor, clock};
    Runner runner{{context.get_executor(), clock, reactor, resolver, connections}};
    SingleCheck check;
    std::optional<Runner::Outcome> outcome;
    runner.start(
        job.probe,
        std::make_shared<const probes::Target>(job.target),
        job.timeout,
        [&](Runner::Outcome&& ended) {
            outcome.emplace(std::move(ended));
            runner.close();
            connections.close();
            resolver.close();
            reactor.close();
        },
        &check.trace);
    // After the start, so that the check is there to be cancelled.
    const std::stop_callback on_stop{stop, [&] {
                                         reactor.post([&] { runner.cancel_all(); });
                                     }};
    context.run();
    check.outcome = std::move(*outcome);
    return check;
}

}  // namespace sonde::exporter

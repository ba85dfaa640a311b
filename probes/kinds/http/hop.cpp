#include "probes/kinds/http/hop.hpp"

#include "probes/kinds/http/exchange.hpp"
#include "probes/kinds/http/opening.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sonde::probes::http {

namespace asio = boost::asio;

Hop::Hop(Check& check, const Url& url, const RequestForm& form)
    : leg_{check, url, form, check.spec.proxies.of(url)} {
    if (Trace* watcher = check.trace()) {
        TraceHop& hop = watcher->hops.emplace_back();
        hop.url = url.show();
        hop.was_redirected_to = check.redirects > 0;
    }
}

asio::awaitable<bool> Hop::run() {
    leg_.check.last_hop = {};
    return leg_.form.keep_alive() ? run_pooled() : run_fresh();
}

asio::awaitable<bool> Hop::run_fresh() {
    Opening opening{leg_};
    const bool open = co_await opening.run();
    if (!open) {
        if (leg_.link->connected) {
            leg_.check.last_hop.path = leg_.connection().stream().path();
        }
        co_return false;
    }
    Exchange exchange{leg_, *receiver_, false};
    const bool done = co_await exchange.run();
    redirects_ = exchange.redirects();
    reusable_ = exchange.is_reusable();
    co_return done;
}

asio::awaitable<bool> Hop::run_pooled() {
    Check& check = leg_.check;
    net::ConnectionPool& pool = check.run.env.connections;
    const net::TimePoint asked = check.run.now();
    std::optional<net::ConnectionPool::Lease> lease =
        co_await pool.acquire(key(), *check.spec.pool);
    if (!lease || check.run.cancelled()) {
        // It is this program's own limit, and says nothing of the target.
        check.exhausted = true;
        co_return leg_.fail_waiting("one of the connections to this host to be free");
    }
    check.started += check.run.now() - asked;
    check.dead_connections += lease->dead();
    if (auto idle = lease->take()) {
        leg_.link.reset(static_cast<Link*>(idle.release()));
        note_reuse();
        // What has forgotten the connection (NAT, firewalls) drops the request without a word.
        leg_.connection().stream().give_up_after(check.run.deadline.timeout / 3);
        Exchange exchange{leg_, *receiver_, true};
        const bool done = co_await exchange.run();
        if (!exchange.was_dead()) {
            redirects_ = exchange.redirects();
            if (done && exchange.is_reusable()) {
                lease->keep(std::move(leg_.link));
            }
            co_return done;
        }
        // It was closed while the request was on its way. Only methods that may be repeated come
        // to here (RFC 9110 section 9.2.2).
        ++check.dead_connections;
        check.last_hop = {};
    }
    check.reused = false;
    const bool done = co_await run_fresh();
    if (done && reusable_) {
        lease->keep(std::move(leg_.link));
    }
    co_return done;
}

void Hop::note_reuse() {
    Check& check = leg_.check;
    check.reused = true;
    check.last_hop.tls = leg_.link->tls;
    check.last_hop.address = leg_.link->endpoint;
    leg_.show_address();
}

net::ConnectionPool::Key Hop::key() const {
    const Check& check = leg_.check;
    std::string key = leg_.url.origin();
    key += ' ';
    key += check.pinned ? check.pinned->address() : "";
    key += ' ';
    key += check.spec.connection_identity;
    return key;
}

}  // namespace sonde::probes::http

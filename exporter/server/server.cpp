// Accepts connections, counts them and ends them. What happens on a connection is
// connection's.
#include "exporter/server/server.hpp"

#include "exporter/engine/task_group.hpp"
#include "exporter/log.hpp"
#include "exporter/server/connection.hpp"
#include "exporter/server/listen_address.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>

namespace sonde::exporter {

namespace asio = boost::asio;

namespace {

constexpr auto await = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t refusals_at_once = 64;

void log_bug(std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
        log::error("the HTTP server lost a connection", {{"error", thrown.what()}});
    }
}

/// Ends the connection that has been idle for longest; false when none is.
bool let_one_go(ConnectionShared& shared) {
    if (shared.idle.empty()) {
        return false;
    }
    boost::system::error_code ignored;
    shared.idle.front()->cancel(ignored);
    shared.idle.pop_front();
    return true;
}

}  // namespace

struct HttpServer::Impl {
    /// Shared with the coroutines, which may be destroyed after the server, by the context.
    struct State {
        State(asio::io_context& on, HttpHandler handler, Limits limits)
            : context(on),
              accepting(on.get_executor(), log_bug),
              connections(on.get_executor(), log_bug),
              refusals(on.get_executor(), log_bug),
              shared(std::make_shared<ConnectionShared>()) {
            shared->handler = std::move(handler);
            shared->limits = limits;
        }

        asio::io_context& context;
        std::list<Listener> listeners;
        TaskGroup accepting;
        TaskGroup connections;
        TaskGroup refusals;
        std::shared_ptr<ConnectionShared> shared;
    };

    static asio::awaitable<void> accept(std::shared_ptr<State> state, Listener& listener);
    static asio::awaitable<void> shut_down(std::shared_ptr<State> state,
                                           std::chrono::nanoseconds grace);
    static asio::awaitable<void> cancel_after(std::shared_ptr<State> state,
                                              std::chrono::nanoseconds grace);

    std::shared_ptr<State> state;
};

asio::awaitable<void> HttpServer::Impl::accept(std::shared_ptr<State> state, Listener& listener) {
    asio::steady_timer pause(state->context);
    while (listener.acceptor.is_open()) {
        auto [error, socket] = co_await listener.acceptor.async_accept(await);
        if (!error) {
            const bool room = state->connections.size() < state->shared->limits.connections ||
                              let_one_go(*state->shared);
            if (room) {
                state->connections.spawn(serve_connection(std::move(socket), state->shared));
            } else if (state->refusals.size() < refusals_at_once) {
                state->refusals.spawn(refuse_connection(std::move(socket), state->shared));
            }
            continue;
        }
        if (error == asio::error::operation_aborted || error == asio::error::connection_aborted) {
            continue;  // by shut_down, or by a client that gave up while it waited
        }
        // Out of descriptors or memory: accepting again at once would spin.
        log::warn("accepting failed", {{"address", listener.address}, {"error", error.message()}});
        pause.expires_after(std::chrono::milliseconds{100});
        co_await pause.async_wait(await);
    }
}

asio::awaitable<void> HttpServer::Impl::cancel_after(std::shared_ptr<State> state,
                                                     std::chrono::nanoseconds grace) {
    asio::steady_timer timer(state->context, grace);
    const auto [error] = co_await timer.async_wait(await);
    if (!error) {
        state->connections.cancel();
    }
}

asio::awaitable<void> HttpServer::Impl::shut_down(std::shared_ptr<State> state,
                                                  std::chrono::nanoseconds grace) {
    for (auto& listener : state->listeners) {
        boost::system::error_code ignored;
        listener.acceptor.close(ignored);
    }
    state->accepting.cancel();
    state->refusals.cancel();
    co_await state->accepting.join();
    co_await state->refusals.join();
    state->listeners.clear();

    state->shared->draining = true;
    for (auto* socket : state->shared->idle) {
        boost::system::error_code ignored;
        socket->cancel(ignored);
    }
    TaskGroup watch(state->context.get_executor(), log_bug);
    watch.spawn(cancel_after(state, grace));
    co_await state->connections.join();
    watch.cancel();
    co_await watch.join();
}

HttpServer::HttpServer(asio::io_context& context, HttpHandler handler, Limits limits)
    : impl_(std::make_unique<Impl>()) {
    impl_->state = std::make_shared<Impl::State>(context, std::move(handler), limits);
}

HttpServer::~HttpServer() {
    auto& state = *impl_->state;
    state.accepting.cancel();
    state.refusals.cancel();
    state.connections.cancel();
}

std::string HttpServer::listen(const std::string& address) {
    auto& state = impl_->state;
    auto& listener = state->listeners.emplace_back(open_listener(state->context, address));
    state->accepting.spawn(Impl::accept(state, listener));
    return listener.address;
}

asio::awaitable<void> HttpServer::shut_down(std::chrono::nanoseconds grace) {
    return Impl::shut_down(impl_->state, grace);
}

}  // namespace sonde::exporter

// The second half of a hop: TLS, the request and the answer. (hop_connect.cpp is the first.)
#include "probes/kinds/http/hop.hpp"

#include "probes/kinds/http/tls_facts.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

/// The operation itself is awaited, without a coroutine around it.
constexpr auto direct = asio::as_tuple(asio::deferred);

/// The first read of an answer takes no more, so that its arrival is the first byte's and not that
/// of a later segment which came while this program was busy.
constexpr std::size_t first_read = 1024;

/// What is read of a compressed body waits, copied, while that is decoded which came before.
constexpr std::size_t compressed_read = 4 * 1024;

/// After so many bytes, received and decoded, the thread's other checks have their turn; a server
/// that is faster than this program never makes it wait.
constexpr std::size_t work_at_once = 64 * 1024;

/// Bytes on their way from the kernel to the receiver: nothing stays in it over a wait, so one for
/// each thread serves every check.
std::span<char> scratch() {
    thread_local std::array<char, 64 * 1024> bytes;
    return bytes;
}

}  // namespace

Hop::Hop(Check& check, const Url& url, const RequestForm& form)
    : check_(check),
      url_(url),
      form_(form),
      proxy_(check.spec.proxy && check.spec.proxy->is_for(url) ? check.spec.proxy.get() : nullptr),
      connection_(check.run.env.reactor, check.run.env.clock) {
    if (Trace* watcher = check_.trace()) {
        watcher->hops.emplace_back().url = url.show();
    }
}

asio::awaitable<bool> Hop::run() {
    check_.last_hop = {};
    bool going = co_await resolve();
    if (going) {
        going = co_await connect();
    }
    if (going && url_.scheme() == "https" && proxy_ != nullptr) {
        going = co_await open_tunnel();
    }
    if (going && url_.scheme() == "https") {
        going = co_await secure();
    }
    if (going) {
        going = co_await send_request();
    }
    if (going) {
        going = co_await receive();
        note_response();
    }
    if (connected_) {
        check_.last_hop.path = connection_.stream().path();
    }
    co_return going;
}

asio::awaitable<bool> Hop::secure() {
    const config::Text& own = check_.spec.server_name;
    const bool named = !own.reveal().empty() && url_.host() == check_.target.host();
    const std::string name = named ? own.reveal() : std::string{url_.host()};
    const net::TimePoint began = check_.run.now();
    const auto& context = form_.to_own_host ? check_.spec.tls : check_.spec.tls_elsewhere;
    net::TlsStream& tls = connection_.start_tls(*context, name);
    for (;;) {
        const net::IoResult io = tls.handshake();
        if (io.error) {
            co_return fail_io(io.error, Phase::tls, "TLS handshake with ");
        }
        if (!io.wait) {
            break;
        }
        const bool ready = co_await wait(*io.wait);
        if (!ready) {
            co_return fail_waiting("the TLS handshake");
        }
    }
    // Up to the arrival of the server's last flight: the checking of certificates is our own time.
    check_.phase(Phase::tls, began, std::max(connection_.stream().arrival(), began) - began);
    co_return inspect_tls(named ? std::string{own.show()} : name);
}

bool Hop::inspect_tls(const std::string& name) {
    const net::TlsStream& tls = *connection_.tls();
    const net::TlsVerdict verdict = tls.verdict();
    check_.last_hop.tls = tls_facts(tls, verdict.verified());
    if (Trace* watcher = check_.trace()) {
        describe_tls(tls, verdict, watcher->hop());
    }
    if (verdict.verified() || check_.spec.insecure_skip_verify) {
        return true;
    }
    check_.fail(verdict.failure,
                "certificate of " + peer() + " for " + name + ": " + verdict.detail);
    return false;
}

asio::awaitable<bool> Hop::send_request() {
    const bool passes_on = proxy_ != nullptr && url_.scheme() == "http";
    const RequestText request =
        make_request(check_.spec.request, form_, url_, check_.target, passes_on ? proxy_ : nullptr);
    request_began_ = check_.run.now();
    const bool sent = co_await write_all(request);
    co_return sent;
}

asio::awaitable<bool> Hop::write_all(std::span<const char> bytes) {
    while (!bytes.empty()) {
        const net::IoResult io = connection_.write(bytes);
        if (io.error && form_.with_body) {
            // A server may answer (413, 401) and close before it has taken a large body.
            co_return true;
        }
        if (io.error) {
            co_return fail_io(io.error, Phase::processing, "sending the request to ");
        }
        if (io.wait) {
            const bool ready = co_await wait(*io.wait);
            if (!ready) {
                co_return fail_waiting("the request to be taken");
            }
        }
        bytes = bytes.subspan(io.bytes);
    }
    co_return true;
}

asio::awaitable<bool> Hop::receive() {
    receiver_->start(check_.spec, form_.method == "HEAD", check_.trace());
    // TLS may hold decrypted bytes already; a plain answer cannot be there yet.
    bool try_first = connection_.tls() != nullptr;
    if (try_first) {
        connection_.tls()->limit_socket_reads(first_read);
    }
    for (;;) {
        net::IoResult io = net::IoResult::wait_for(net::Direction::read);
        if (try_first) {
            io = connection_.read(room());
        }
        try_first = true;
        if (io.wait) {
            work_ = 0;
            const bool ready = co_await wait(*io.wait);
            if (!ready) {
                co_return fail_waiting(receiver_->header_complete() ? "the rest of the body"
                                       : receiver_->saw_anything()  ? "the rest of the header"
                                                                    : "the response");
            }
            continue;
        }
        if (io.error) {
            co_return ended(io.error);
        }
        note_arrival();
        Receiver::State state = receiver_->feed(scratch().first(io.bytes));
        std::size_t received = io.bytes;
        while (state == Receiver::State::more) {
            const bool going = co_await give_way(std::exchange(received, 0));
            if (!going) {
                co_return fail_waiting("the rest of the body");
            }
            if (!receiver_->pending()) {
                break;
            }
            state = receiver_->resume();
        }
        if (state != Receiver::State::more) {
            co_return take(state);
        }
    }
}

std::span<char> Hop::room() const {
    if (!receiver_->saw_anything()) {
        return scratch().first(first_read);
    }
    return receiver_->decodes() ? scratch().first(compressed_read) : scratch();
}

void Hop::note_arrival() {
    // What came before the request was sent, or before an earlier part, took no time.
    const net::TimePoint arrived = connection_.stream().arrival();
    if (receiver_->saw_anything()) {
        last_byte_ = std::max(arrived, last_byte_);
        return;
    }
    first_byte_ = last_byte_ = std::max(arrived, request_began_);
    check_.last_hop.arrival_from_kernel = connection_.stream().arrival_from_kernel();
    check_.phase(Phase::processing, request_began_, first_byte_ - request_began_);
    if (connection_.tls() != nullptr) {
        connection_.tls()->limit_socket_reads(0);
    }
}

asio::awaitable<bool> Hop::give_way(std::size_t received) {
    const std::uint64_t decoded = receiver_->decoded_bytes();
    work_ += received + static_cast<std::size_t>(decoded - std::exchange(decoded_, decoded));
    if (work_ >= work_at_once) {
        work_ = 0;
        co_await asio::post(check_.run.env.executor, asio::deferred);
    }
    co_return !check_.run.cancelled();
}

/// The connection is at its end, in order or not.
bool Hop::ended(const boost::system::error_code& error) {
    if (error == asio::error::eof && receiver_->saw_anything()) {
        return take(receiver_->finish());
    }
    return fail_io(error,
                   receiver_->saw_anything() ? Phase::transfer : Phase::processing,
                   "reading the response of ");
}

void Hop::note_response() {
    if (!receiver_->header_complete()) {
        return;
    }
    check_.last_hop.response = receiver_->facts();
    check_.last_hop.response->over_tls = connection_.tls() != nullptr;
    if (Trace* watcher = check_.trace()) {
        watcher->hop().status = static_cast<int>(check_.last_hop.response->status);
        watcher->hop().protocol = check_.last_hop.response->version == 10 ? "HTTP/1.0" : "HTTP/1.1";
        watcher->body_bytes = check_.last_hop.response->decoded_bytes;
    }
}

bool Hop::take(Receiver::State state) {
    if (state == Receiver::State::failed) {
        check_.fail(receiver_->failure(), "response of " + peer() + ": " + receiver_->error_text());
        return false;
    }
    check_.phase(Phase::transfer, first_byte_, last_byte_ - first_byte_);
    redirects_ = state == Receiver::State::redirect;
    if (!redirects_) {
        check_.answered = last_byte_;
    }
    return true;
}

asio::awaitable<bool> Hop::wait(net::Direction direction) {
    if (check_.run.cancelled()) {
        co_return false;
    }
    const auto [aborted] = co_await connection_.ready(direction, direct);
    co_return !aborted;
}

bool Hop::fail_io(const boost::system::error_code& error, Phase phase, std::string_view doing) {
    const std::string text = error == asio::error::eof ? "the server closed the connection"
                                                       : connection_.error_text(error);
    check_.exhausted = is_exhaustion(error, phase);
    const Failure failure = proxy_ != nullptr && phase == Phase::connect && !check_.exhausted
                                ? Failure::proxy_failed
                                : connection_.failure(error, phase);
    check_.fail(failure, std::string{doing} + peer() + ": " + text);
    return false;
}

bool Hop::fail_waiting(std::string_view for_what) {
    const auto timeout = std::chrono::round<std::chrono::milliseconds>(check_.run.deadline.timeout);
    check_.fail(Failure::timeout,
                "the deadline of " + std::to_string(timeout.count()) +
                    " ms passed while waiting for " + std::string{for_what} +
                    (check_.last_hop.address ? " with " + peer() : ""));
    return false;
}

std::string Hop::peer() const {
    const std::string_view host = proxy_ != nullptr ? proxy_->url.host() : url_.host();
    const std::string address = endpoint_.text();
    const std::string shown =
        net::Endpoint::from_literal(host) ? address : std::string{host} + " (" + address + ")";
    if (proxy_ == nullptr) {
        return shown;
    }
    return url_.origin() + " through the proxy" + (proxy_->is_secret ? "" : " " + shown);
}

}  // namespace sonde::probes::http

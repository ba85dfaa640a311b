#include "probes/kinds/http/exchange.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

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

asio::awaitable<bool> Exchange::run() {
    Check& check = leg_.check;
    wire::Http2Client* const http2 = leg_.link->http2.get();
    receiver_.start(check.spec, leg_.form, http2, check.trace());
    request_began_ = check.run.now();
    bool going = true;
    if (http2 != nullptr) {
        send_http2(check.spec.request, leg_.form, leg_.url, check.target, {*http2, receiver_});
    } else {
        going = co_await send_http1();
    }
    if (going) {
        going = co_await receive();
        note_response();
    }
    if (const auto path = leg_.connection().stream().path(); path && !was_dead_) {
        const std::uint32_t before = std::exchange(leg_.link->retransmits, path->retransmits);
        check.last_hop.path = net::TcpInfo{path->rtt, path->retransmits - before};
    }
    co_return going;
}

asio::awaitable<bool> Exchange::send_http1() {
    const Check& check = leg_.check;
    const RequestText request = make_request(check.spec.request,
                                             leg_.form,
                                             leg_.url,
                                             check.target,
                                             leg_.is_passed_on() ? leg_.proxy : nullptr);
    std::span<const char> bytes{request};
    while (!bytes.empty()) {
        const net::IoResult io = leg_.connection().write(bytes);
        if (io.error && leg_.form.with_body && !reused_) {
            // A server may answer (413, 401) and close before it has taken a large body.
            co_return true;
        }
        if (io.error) {
            co_return broke(io.error, Phase::processing, "sending the request to ");
        }
        if (io.wait) {
            const auto ready = co_await wait_to_send(*io.wait);
            if (!ready) {
                co_return leg_.fail_waiting("the request to be taken");
            }
            if (*ready == net::Direction::read) {
                // An answer (413, 401), which needs no more of the body.
                cut_short_ = true;
                co_return true;
            }
        }
        bytes = bytes.subspan(io.bytes);
    }
    co_return true;
}

asio::awaitable<bool> Exchange::receive() {
    // TLS may hold decrypted bytes already; a plain answer cannot be there yet.
    net::TlsStream* const tls = leg_.connection().innermost();
    bool try_first = tls != nullptr || cut_short_;
    if (tls != nullptr) {
        tls->limit_socket_reads(first_read);
    }
    for (;;) {
        // A connection that takes no more may still have an answer.
        const bool output_waits = leg_.link->http2 && leg_.link->flush().wait.has_value();
        net::IoResult io = net::IoResult::wait_for(net::Direction::read);
        if (try_first) {
            io = leg_.connection().read(room());
        }
        try_first = true;
        if (io.wait) {
            work_ = 0;
            bool ready = false;
            if (output_waits) {
                const auto first = co_await leg_.wait_either();
                ready = first.has_value();
            } else {
                ready = co_await leg_.wait(*io.wait);
            }
            if (!ready) {
                co_return leg_.fail_waiting(receiver_.header_complete() ? "the rest of the body"
                                            : receiver_.saw_anything()  ? "the rest of the header"
                                                                        : "the response");
            }
            continue;
        }
        if (io.error) {
            co_return ended(io.error);
        }
        const bool seen = receiver_.saw_anything();
        Receiver::State state = receiver_.feed(scratch().first(io.bytes));
        if (state == Receiver::State::failed && reused_ && receiver_.unprocessed()) {
            was_dead_ = true;
            co_return false;
        }
        if (receiver_.saw_anything()) {
            note_arrival(!seen);
        }
        std::size_t received = io.bytes;
        while (state == Receiver::State::more) {
            const bool going = co_await give_way(std::exchange(received, 0));
            if (!going) {
                co_return leg_.fail_waiting("the rest of the body");
            }
            if (!receiver_.pending()) {
                break;
            }
            state = receiver_.resume();
        }
        if (state != Receiver::State::more) {
            co_return take(state);
        }
    }
}

std::span<char> Exchange::room() const {
    if (!receiver_.saw_anything()) {
        return scratch().first(first_read);
    }
    return receiver_.decodes() ? scratch().first(compressed_read) : scratch();
}

asio::awaitable<std::optional<net::Direction>> Exchange::wait_to_send(net::Direction direction) {
    // What arrives over TLS meanwhile may be its own, such as session tickets.
    if (leg_.form.with_body && leg_.connection().innermost() == nullptr) {
        const auto first = co_await leg_.wait_either();
        co_return first;
    }
    const bool ready = co_await leg_.wait(direction);
    co_return ready ? std::optional{net::Direction::write} : std::nullopt;
}

void Exchange::note_arrival(bool first) {
    // What came before the request was sent, or before an earlier part, took no time.
    const net::Stream& stream = leg_.connection().stream();
    if (!first) {
        last_byte_ = std::max(stream.arrival(), last_byte_);
        return;
    }
    first_byte_ = last_byte_ = std::max(stream.arrival(), request_began_);
    leg_.check.last_hop.arrival_from_kernel = stream.arrival_from_kernel();
    leg_.check.phase(Phase::processing, request_began_, first_byte_ - request_began_);
    if (net::TlsStream* const tls = leg_.connection().innermost()) {
        tls->limit_socket_reads(0);
    }
}

asio::awaitable<bool> Exchange::give_way(std::size_t received) {
    const std::uint64_t decoded = receiver_.decoded_bytes();
    work_ += received + static_cast<std::size_t>(decoded - std::exchange(decoded_, decoded));
    if (work_ >= work_at_once) {
        work_ = 0;
        co_await asio::post(leg_.check.run.env.executor, asio::deferred);
    }
    co_return !leg_.check.run.cancelled();
}

bool Exchange::broke(const boost::system::error_code& error, Phase phase, std::string_view doing) {
    if (reused_ && !receiver_.saw_anything()) {
        was_dead_ = true;
        return false;
    }
    return leg_.fail_io(error, phase, doing);
}

/// The connection is at its end, in order or not.
bool Exchange::ended(const boost::system::error_code& error) {
    if (error == asio::error::eof && receiver_.saw_anything()) {
        return take(receiver_.finish());
    }
    return broke(error,
                 receiver_.saw_anything() ? Phase::transfer : Phase::processing,
                 "reading the response of ");
}

void Exchange::note_response() {
    if (!receiver_.header_complete()) {
        return;
    }
    Check& check = leg_.check;
    check.last_hop.response = receiver_.facts();
    check.last_hop.response->over_tls = leg_.connection().tls() != nullptr;
    if (Trace* watcher = check.trace()) {
        watcher->hop().status = static_cast<int>(check.last_hop.response->status);
        watcher->hop().protocol =
            "HTTP/" + std::string{version_text(check.last_hop.response->version)};
        watcher->body_bytes = check.last_hop.response->decoded_bytes;
    }
}

bool Exchange::take(Receiver::State state) {
    Check& check = leg_.check;
    if (state == Receiver::State::failed) {
        check.fail(receiver_.failure(),
                   "response of " + leg_.peer() + ": " + receiver_.error_text());
        return false;
    }
    if (leg_.is_passed_on() && receiver_.facts().status == 407) {
        // Only a proxy says this of itself (RFC 9110 section 15.5.8).
        check.fail(Failure::proxy_failed,
                   leg_.peer() + ": it answered 407 Proxy Authentication Required");
        return false;
    }
    check.phase(Phase::transfer, first_byte_, last_byte_ - first_byte_);
    redirects_ = state == Receiver::State::redirect;
    reusable_ = leg_.form.keep_alive() && !cut_short_ && receiver_.leave_connection();
    if (!redirects_) {
        check.answered = last_byte_;
    }
    return true;
}

}  // namespace sonde::probes::http

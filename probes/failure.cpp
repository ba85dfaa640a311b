// The names of reasons and phases, and the map from errors of the system and of Asio to reasons.
#include "probes/failure.hpp"

#include <boost/asio/error.hpp>

#include <array>
#include <cerrno>

namespace sonde::probes {

namespace {

struct Reason {
    std::string_view name;
    std::string_view help;
};

constexpr std::array<Reason, static_cast<std::size_t>(Failure::count)> reasons{{
    {"none", "The check succeeded."},
    {"timeout", "The deadline passed before the check came to its end, in whichever phase."},
    {"resolve_failed", "The name has no address, or no name server gave one."},
    {"connect_refused", "Nobody listens at the address and port."},
    {"unreachable", "There is no route to the address, or a router said so."},
    {"connection_reset", "The connection was reset or closed before the answer was whole."},
    {"tls_handshake", "The TLS handshake failed on our side, or the peer does not speak TLS."},
    {"tls_alert", "The peer ended the TLS handshake or connection with an alert."},
    {"certificate_untrusted", "No trusted authority vouches for the certificate."},
    {"certificate_expired", "A certificate of the chain is expired or not yet valid."},
    {"certificate_name", "The certificate is for other names."},
    {"proxy_failed", "The proxy did not open the way."},
    {"oauth_failed", "The token for the request could not be had."},
    {"protocol_error", "The answer breaks the rules of its protocol."},
    {"decode_error", "The body's coding (gzip ...) is broken or unknown."},
    {"too_many_redirects", "More redirects than `max_redirects`."},
    {"body_too_large", "The body, decoded, is larger than allowed."},
    {"unexpected_status", "The status code is none of those expected."},
    {"unexpected_content", "The content does not meet an expectation."},
    {"unexpected_answer", "The answer does not meet an expectation."},
    {"permission_denied", "This machine does not allow what the check needs."},
    {"internal_error", "Trouble of Sonde itself; the log says more."},
    {"unexpected_header", "A header field does not meet an expectation."},
    {"unexpected_protocol",
     "The version of HTTP or TLS, or the cipher, is none of those expected."},
    {"certificate_expires_soon", "A certificate is valid for less than `min_cert_validity`."},
    {"too_slow", "The round-trip time or a phase was longer than allowed."},
}};
static_assert(!reasons.back().name.empty());

const Reason& reason(Failure failure) {
    const auto index = static_cast<std::size_t>(failure);
    return index < reasons.size() ? reasons[index]
                                  : reasons[static_cast<std::size_t>(Failure::internal_error)];
}

constexpr std::array<std::string_view, static_cast<std::size_t>(Phase::count)> phase_names{
    "resolve", "connect", "tls", "processing", "transfer", "other"};
static_assert(!phase_names.back().empty());

Failure classify_errno(int number, Phase phase) {
    switch (number) {
        case 0:
            return Failure::none;
        case ETIMEDOUT:  // the kernel gave up before our deadline did
        case ECANCELED:  // only the deadline cancels a check whose result counts
            return Failure::timeout;
        case ECONNREFUSED:
            return Failure::connect_refused;
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE:
            // Also while connecting: a reset that answers the SYN is ECONNREFUSED (tcp(7)), so this
            // one came to a connection that stood.
            return Failure::connection_reset;
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENETDOWN:
        case ENONET:
        case EADDRNOTAVAIL:  // no address of ours to reach this family or scope from
        case EAFNOSUPPORT:
            return Failure::unreachable;
        case EINVAL:  // connect() to a link-local address without a zone
            return phase == Phase::connect ? Failure::unreachable : Failure::internal_error;
        case EACCES:
        case EPERM:
            return Failure::permission_denied;
        case EPROTO:
        case EPROTOTYPE:
        case EBADMSG:
            return Failure::protocol_error;
        default:
            // EMFILE, ENOMEM, EBADF ...: trouble of ours, not of the target.
            return Failure::internal_error;
    }
}

}  // namespace

std::string_view name(Failure failure) {
    return reason(failure).name;
}

std::string_view help(Failure failure) {
    return reason(failure).help;
}

std::string_view name(Phase phase) {
    const auto index = static_cast<std::size_t>(phase);
    return index < phase_names.size() ? phase_names[index] : phase_names.back();
}

Failure classify(const boost::system::error_code& error, Phase phase) {
    if (!error) {
        return Failure::none;
    }
    // The end of the stream where more was due: before or inside the handshake there is no answer
    // to judge, afterwards the peer has dropped the connection.
    if (error == boost::asio::error::eof) {
        return phase == Phase::tls ? Failure::tls_handshake : Failure::connection_reset;
    }
    if (error.category() == boost::asio::error::get_netdb_category() ||
        error.category() == boost::asio::error::get_addrinfo_category()) {
        return error == boost::asio::error::no_recovery || phase != Phase::resolve
                   ? Failure::internal_error
                   : Failure::resolve_failed;
    }
    if (error.category() == boost::system::system_category() ||
        error.category() == boost::system::generic_category()) {
        const auto failure = classify_errno(error.value(), phase);
        // Whatever else goes wrong while a name is looked up, there is no address.
        return phase == Phase::resolve && failure != Failure::timeout &&
                       failure != Failure::permission_denied
                   ? Failure::resolve_failed
                   : failure;
    }
    return Failure::internal_error;
}

bool is_exhaustion(const boost::system::error_code& error, Phase phase) {
    if (error.category() != boost::system::system_category()) {
        return false;
    }
    switch (error.value()) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case ENOSPC:  // epoll_ctl: /proc/sys/fs/epoll/max_user_watches
            return true;
        case EADDRNOTAVAIL:  // connect(): every local port is taken
            return phase == Phase::connect;
        default:
            return false;
    }
}

}  // namespace sonde::probes

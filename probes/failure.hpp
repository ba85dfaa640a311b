// Why a check failed: the closed list that becomes the `reason` label, and the one map into it.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string_view>

namespace sonde::probes {

/// In the order of METRICS; `none` is success. Extend it at the end, never reorder: the number is
/// what the store keeps.
enum class Failure : std::uint8_t {
    none,
    timeout,
    resolve_failed,
    connect_refused,
    unreachable,
    connection_reset,
    tls_handshake,
    tls_alert,
    certificate_untrusted,
    certificate_expired,
    certificate_name,
    proxy_failed,
    oauth_failed,
    protocol_error,
    decode_error,
    too_many_redirects,
    body_too_large,
    unexpected_status,
    unexpected_content,
    unexpected_answer,
    permission_denied,
    internal_error,
    unexpected_header,
    unexpected_protocol,
    certificate_expires_soon,
    too_slow,
    count
};

/// The step of a check in which something happened; also the `phase` label where it is one.
enum class Phase : std::uint8_t { resolve, connect, tls, processing, transfer, other, count };

[[nodiscard]] std::string_view name(Failure failure);
[[nodiscard]] std::string_view name(Phase phase);

/// One sentence for the reference.
[[nodiscard]] std::string_view help(Failure failure);

/// The only map from an error of the system, Asio or Beast to a reason. The same errno means
/// different things in different phases (ECONNREFUSED of a name server is a failed resolution).
[[nodiscard]] Failure classify(const boost::system::error_code& error, Phase phase);

/// Whether this machine has run out of something (descriptors, ports, memory), so that the check
/// says nothing of its target.
[[nodiscard]] bool is_exhaustion(const boost::system::error_code& error, Phase phase);

}  // namespace sonde::probes

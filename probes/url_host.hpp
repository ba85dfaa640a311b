// The host part of a URL made fit for resolving: names, international names and address literals.
#pragma once

#include <string>
#include <string_view>

namespace sonde::probes {

/// What stands between the brackets, in inet_ntop()'s form, with the zone behind a bare '%'. Empty,
/// and `error` says why, when it is no IPv6 address. The error does not quote the text.
[[nodiscard]] std::string parse_ipv6_literal(std::string_view text, std::string& error);

/// A name in lower case with A-labels (UTS #46, non-transitional), its final dot kept, or an IPv4
/// address. Empty, and `error` says why, when it is neither. The error does not quote the text.
[[nodiscard]] std::string parse_host_name(std::string_view text, std::string& error);

}  // namespace sonde::probes

// A stapled OCSP response (RFC 6960): what it says of a certificate, and whether to believe it.
// Bytes in, values out; it asks no responder.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sonde::probes::wire {

enum class OcspStatus : std::uint8_t { good, revoked, unknown };

struct OcspStaple {
    std::optional<OcspStatus> status;  // nothing: it does not say
    std::string problem;               // one line: why it is not to be believed; empty: it is
    bool signature_verified = false;   // by the issuer, or by whom the issuer appointed
    std::optional<std::int64_t> this_update;  // Unix seconds
    std::optional<std::int64_t> next_update;
    std::optional<std::int64_t> revoked_at;
    std::string revocation_reason;  // "keyCompromise"; empty: none is given
};

/// Whether `response` (DER) is about `leaf`, which `issuer` (null: not known) has signed, at `now`
/// in Unix seconds. Clocks may differ by five minutes. A signature is checked: a tenth of a
/// millisecond or more.
[[nodiscard]] OcspStaple read_ocsp(std::span<const unsigned char> response,
                                   const X509& leaf,
                                   const X509* issuer,
                                   std::int64_t now);

/// The status that is believed: "good", "revoked", "unknown"; "invalid" when there is a problem.
[[nodiscard]] std::string_view believed_status(const OcspStaple& staple);

/// "good", "revoked", "unknown".
[[nodiscard]] std::string_view name(OcspStatus status);

}  // namespace sonde::probes::wire

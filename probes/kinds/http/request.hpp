// The text of a request (RFC 9112 section 3).
#pragma once

#include "probes/kinds/http/spec.hpp"
#include "probes/url.hpp"

#include <string>

namespace sonde::probes::http {

/// `private_headers`: with the header fields that are for the target's own host only, and the url's
/// userinfo as basic authentication unless Authorization is set.
[[nodiscard]] std::string make_request(const Spec& spec, const Url& url, bool private_headers);

}  // namespace sonde::probes::http

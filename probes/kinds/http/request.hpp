// The text of a request (RFC 9112 section 3).
#pragma once

#include "probes/kinds/http/spec.hpp"
#include "probes/url.hpp"

#include <string>

namespace sonde::probes::http {

/// `owner`: the target's url when `url` is at its own host and may see what is meant for it: the
/// private header fields, and the userinfo as basic authentication unless Authorization is set.
/// Null: neither is in the request.
[[nodiscard]] std::string make_request(const Spec& spec, const Url& url, const Url* owner);

}  // namespace sonde::probes::http

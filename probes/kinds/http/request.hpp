// The text of a request (RFC 9112 section 3).
#pragma once

#include "probes/kinds/http/spec.hpp"
#include "probes/url.hpp"

#include <boost/container/small_vector.hpp>

namespace sonde::probes::http {

/// Text with room for most requests without an allocation.
using RequestText = boost::container::small_vector<char, 512>;

/// `owner`: the target's url when `url` is at its own host and may see what is meant for it: the
/// private header fields, and the userinfo as basic authentication unless Authorization is set.
/// Null: neither is in the request.
[[nodiscard]] RequestText make_request(const Spec& spec, const Url& url, const Url* owner);

}  // namespace sonde::probes::http

// The token request of OAuth 2.0's client credentials grant (RFC 6749 section 4.4): its body and
// the reading of its answer. It sends nothing, keeps nothing, and does not know when a token ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sonde::probes::wire {

/// application/x-www-form-urlencoded. In the basic scheme (section 2.3.1) the user name and the
/// password are this of the client's id and secret.
[[nodiscard]] std::string form_encode(std::string_view text);

/// What is wrong with the name of an additional parameter; empty when it is good.
[[nodiscard]] std::string check_oauth_parameter(std::string_view name);

struct OAuthRequest {
    std::span<const std::string> scopes;
    std::span<const std::pair<std::string, std::string>> parameters;  // names as checked above
    std::string_view client_id;
    std::string_view client_secret;
    bool secret_in_body = false;  // else it goes in Authorization, where section 2.3.1 wants it
};

/// "grant_type=client_credentials&scope=a+b&audience=x", for POST as form_encode() says.
[[nodiscard]] std::string oauth_request_body(const OAuthRequest& request);

constexpr std::size_t max_oauth_answer = std::size_t{64} * 1024;

struct OAuthToken {
    std::string access_token;  // good as it is behind "Bearer " (RFC 6750 section 2.1)
    std::optional<std::chrono::seconds> expires_in;  // 0 to 2^31-1; nothing: the server says not
};

/// Reads an answer, of which `body` may be more than max_oauth_answer. Nothing: there is no token,
/// and `error` says why in one line of printable ASCII without a final stop. What the server says
/// in words is left out of it when the access token or `client_secret` is in there.
[[nodiscard]] std::optional<OAuthToken> read_oauth_answer(unsigned status,
                                                          std::string_view body,
                                                          std::string_view client_secret,
                                                          std::string& error);

}  // namespace sonde::probes::wire

// Credentials of the basic scheme (RFC 7617), as Authorization and Proxy-Authorization carry them.
#pragma once

#include <string>
#include <string_view>

namespace sonde::probes::http {

/// "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==". The user name has no colon.
[[nodiscard]] std::string basic_auth(std::string_view username, std::string_view password);

/// The same of a url's userinfo ("user:pass", "user"), percent-encoded as it stands there.
[[nodiscard]] std::string basic_auth(std::string_view userinfo);

}  // namespace sonde::probes::http

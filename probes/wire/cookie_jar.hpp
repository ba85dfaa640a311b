// The cookies of one check: what the responses of a redirect chain set, and what the next request
// sends (RFC 6265 sections 5.1.3 to 5.4, with the prefixes and the rules for secure cookies of RFC
// 6265bis). It outlives no check, so that no measurement depends on the one before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire {

/// Hosts are in lower case, A-labels or IP literals without brackets. Paths are those of URLs; a
/// query behind them is not looked at. Without a cookie nothing is allocated. Not thread safe.
class CookieJar {
public:
    static constexpr std::size_t max_cookies = 50;
    static constexpr std::size_t max_bytes = 4096;  // a cookie's name and value together

    void clear() { cookies_.clear(); }

    [[nodiscard]] bool empty() const { return cookies_.empty(); }

    /// Takes the value of one Set-Cookie field of the response to a request for `host` and `path`.
    /// `secure`: the request went over TLS. `now`: seconds since 1970; a cookie that is over by
    /// then removes the one that it names. What is malformed, not the host's to set or over the
    /// limits is ignored, as browsers do.
    void store(std::string_view set_cookie,
               std::string_view host,
               std::string_view path,
               bool secure,
               std::int64_t now);

    /// The value of the Cookie field for a request, "a=b; c=d": longer paths first, then in order
    /// of creation. Empty: send no such field. A cookie that ends while the check runs is sent all
    /// the same.
    [[nodiscard]] std::string header(std::string_view host,
                                     std::string_view path,
                                     bool secure) const;

private:
    struct Cookie {
        std::string name;
        std::string value;
        std::string domain;
        std::string path;
        bool host_only;
        bool secure;
    };

    [[nodiscard]] bool shadows_secure(const Cookie& cookie) const;
    void keep(Cookie cookie, bool expired);

    std::vector<Cookie> cookies_;  // in order of creation
};

}  // namespace sonde::probes::wire

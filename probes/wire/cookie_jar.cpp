#include "probes/wire/cookie_jar.hpp"

#include "probes/url_text.hpp"
#include "probes/wire/cookie_date.hpp"

#include <libpsl.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace sonde::probes::wire {

namespace {

/// RFC 6265bis section 5.6 leaves longer ones unread; it bounds a stored path.
constexpr std::size_t max_attribute_bytes = 1024;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

struct Pair {
    std::string_view name;
    std::string_view value;
    bool has_value;
};

/// Cuts "name = value" off the front of `text`, up to and with the semicolon.
Pair take_pair(std::string_view& text) {
    const auto end = std::min(text.find(';'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) {
        return {trimmed(pair), {}, false};
    }
    return {trimmed(pair.substr(0, equals)), trimmed(pair.substr(equals + 1)), true};
}

/// Whether a Max-Age (RFC 6265 section 5.2.2) lies in the past; nothing when it is no number.
std::optional<bool> is_over(std::string_view max_age) {
    const bool negative = max_age.starts_with('-');
    const auto digits = max_age.substr(negative ? 1 : 0);
    if (digits.empty() || !std::ranges::all_of(digits, is_url_digit)) {
        return std::nullopt;
    }
    return negative || digits.find_first_not_of('0') == std::string_view::npos;
}

/// Section 5.2: of an attribute that comes twice the last one counts.
struct Attributes {
    std::optional<bool> over;             // Max-Age
    std::optional<std::int64_t> expires;  // seconds since 1970
    std::string domain;                   // in lower case, without a leading dot; empty: none
    std::optional<std::string_view> path;
    bool secure = false;

    explicit Attributes(std::string_view text) {
        while (!text.empty()) {
            const auto [name, value, has_value] = take_pair(text);
            if (value.size() <= max_attribute_bytes) {
                take(url_lower(name), value);
            }
        }
    }

    void take(std::string_view name, std::string_view value) {
        if (name == "max-age") {
            if (const auto read = is_over(value)) {
                over = read;
            }
        } else if (name == "expires") {
            if (const auto read = cookie_date(value)) {
                expires = read;
            }
        } else if (name == "domain") {
            if (!value.empty()) {
                domain = url_lower(value.substr(value.starts_with('.') ? 1 : 0));
            }
        } else if (name == "path") {
            path = value;
        } else if (name == "secure") {
            secure = true;
        }
    }

    /// Max-Age before Expires (section 5.3); without either a cookie lives as long as the check.
    [[nodiscard]] bool expired(std::int64_t now) const {
        return over ? *over : expires && *expires <= now;
    }
};

/// A-labels have no digits-only label at the end (RFC 3696 section 2), IPv4 addresses have.
bool is_ip(std::string_view host) {
    const auto last = host.substr(host.rfind('.') + 1);
    return host.find(':') != std::string_view::npos ||
           (!last.empty() && std::ranges::all_of(last, is_url_digit));
}

/// Section 5.1.3.
bool domain_matches(std::string_view host, std::string_view domain) {
    if (host == domain) {
        return true;
    }
    return host.size() > domain.size() && host.ends_with(domain) &&
           host[host.size() - domain.size() - 1] == '.' && !is_ip(host);
}

std::string_view without_query(std::string_view path) {
    return path.substr(0, path.find('?'));
}

/// Section 5.1.4.
std::string_view default_path(std::string_view path) {
    path = without_query(path);
    const auto slash = path.rfind('/');
    return !path.starts_with('/') || slash == 0 ? std::string_view{"/"} : path.substr(0, slash);
}

/// Section 5.1.4.
bool path_matches(std::string_view path, std::string_view cookie_path) {
    return path.starts_with(cookie_path) &&
           (path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
            path[cookie_path.size()] == '/');
}

/// RFC 6265bis section 5.6; a tab may stand inside of a value.
bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && byte != '\t') || byte == 0x7f;
    });
}

enum class Scope { refused, host_only, domain };

/// Whether `host` may set cookies for `domain`, its Domain attribute (section 5.3 steps 4 to 6).
Scope scope_of(const std::string& host, const std::string& domain) {
    const auto* const suffixes = psl_builtin();
    if (domain.empty()) {
        return Scope::host_only;
    }
    if (!domain_matches(host, domain)) {
        return Scope::refused;
    }
    if (host == domain) {
        const bool alone = is_ip(host) || psl_is_public_suffix(suffixes, host.c_str()) != 0;
        return alone ? Scope::host_only : Scope::domain;
    }
    return psl_is_cookie_domain_acceptable(suffixes, host.c_str(), domain.c_str()) != 0
               ? Scope::domain
               : Scope::refused;
}

/// RFC 6265bis section 5.7: a promise that the name makes and the cookie does not keep.
bool breaks_prefix(std::string_view name, bool secure, bool bound_to_host) {
    constexpr std::string_view secure_prefix = "__secure-";
    constexpr std::string_view host_prefix = "__host-";
    const std::string start = url_lower(name.substr(0, secure_prefix.size()));
    if (start == secure_prefix) {
        return !secure;
    }
    return start.starts_with(host_prefix) && !(secure && bound_to_host);
}

}  // namespace

void CookieJar::store(std::string_view set_cookie,
                      std::string_view host,
                      std::string_view path,
                      bool secure,
                      std::int64_t now) {
    if (has_control(set_cookie)) {
        return;
    }
    const auto [name, value, has_value] = take_pair(set_cookie);
    if (!has_value || name.empty() || name.size() + value.size() > max_bytes) {
        return;
    }
    const Attributes attributes{set_cookie};
    const auto scope = scope_of(std::string{host}, attributes.domain);
    if (scope == Scope::refused || (attributes.secure && !secure)) {
        return;
    }
    const bool has_path = attributes.path && attributes.path->starts_with('/');
    Cookie cookie{.name = std::string{name},
                  .value = std::string{value},
                  .domain = scope == Scope::domain ? attributes.domain : std::string{host},
                  .path = std::string{has_path ? *attributes.path : default_path(path)},
                  .host_only = scope == Scope::host_only,
                  .secure = attributes.secure};
    const bool bound_to_host = cookie.host_only && has_path && cookie.path == "/";
    if (breaks_prefix(name, cookie.secure, bound_to_host) || (!secure && shadows_secure(cookie))) {
        return;
    }
    keep(std::move(cookie), attributes.expired(now));
}

/// RFC 6265bis section 5.7: what came without TLS does not stand in for a cookie of TLS.
bool CookieJar::shadows_secure(const Cookie& cookie) const {
    return std::ranges::any_of(cookies_, [&cookie](const Cookie& other) {
        return other.secure && other.name == cookie.name &&
               (domain_matches(cookie.domain, other.domain) ||
                domain_matches(other.domain, cookie.domain)) &&
               path_matches(cookie.path, other.path);
    });
}

void CookieJar::keep(Cookie cookie, bool expired) {
    const auto same = std::ranges::find_if(cookies_, [&cookie](const Cookie& other) {
        return other.name == cookie.name && other.domain == cookie.domain &&
               other.path == cookie.path && other.host_only == cookie.host_only;
    });
    if (expired) {
        if (same != cookies_.end()) {
            cookies_.erase(same);
        }
    } else if (same != cookies_.end()) {
        *same = std::move(cookie);  // in its place: section 5.3 keeps the time of creation
    } else if (cookies_.size() < max_cookies) {
        cookies_.push_back(std::move(cookie));
    }
}

std::string CookieJar::header(std::string_view host, std::string_view path, bool secure) const {
    path = without_query(path);
    if (!path.starts_with('/')) {
        path = "/";
    }
    std::vector<const Cookie*> chosen;
    for (const auto& cookie : cookies_) {
        const bool at_home =
            cookie.host_only ? host == cookie.domain : domain_matches(host, cookie.domain);
        if (at_home && path_matches(path, cookie.path) && (secure || !cookie.secure)) {
            chosen.push_back(&cookie);
        }
    }
    std::ranges::stable_sort(
        chosen, std::ranges::greater{}, [](const Cookie* cookie) { return cookie->path.size(); });
    std::string field;
    for (const auto* cookie : chosen) {
        field.append(field.empty() ? "" : "; ")
            .append(cookie->name)
            .append("=")
            .append(cookie->value);
    }
    return field;
}

}  // namespace sonde::probes::wire

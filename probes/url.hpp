// A target's or a redirect's URL, kept as it will go out on the wire.
// RFC 3986; hosts with other than ASCII letters become A-labels (libidn2, UTS #46); only what RFC
// 3986 forbids is percent-encoded; the query goes out byte for byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::probes {

class Url {
public:
    Url() = default;

    /// Parses an absolute URL with an authority ("https://shop.example/a?b"). On failure returns
    /// nothing and says in `error` what is wrong, without repeating userinfo.
    static std::optional<Url> parse(std::string_view text, std::string& error);

    /// RFC 3986 section 5.2: `reference` (a Location) against this URL. The fragment is dropped.
    [[nodiscard]] std::optional<Url> resolve(std::string_view reference, std::string& error) const;

    [[nodiscard]] std::string_view scheme() const;  // lower case
    [[nodiscard]] std::string_view host()
        const;  // as it is resolved: no brackets, A-labels, zone kept
    [[nodiscard]] std::uint16_t port() const;  // explicit, or the scheme's default; 0: none known
    [[nodiscard]] std::string_view userinfo() const;  // still encoded; empty when there is none
    [[nodiscard]] std::string_view request_target()
        const;  // origin-form: path and query, at least "/"
    /// For the Host header: host (bracketed when it is an IPv6 literal, without zone) and the port
    /// when it is explicit and not the scheme's default.
    [[nodiscard]] std::string host_header() const;
    /// RFC 6454: scheme, host and port. What may be told of a url whose path or query may be a
    /// secret.
    [[nodiscard]] std::string origin() const;
    /// The whole URL without userinfo and fragment: what is exported and logged.
    [[nodiscard]] std::string show() const;

    bool operator==(const Url&) const = default;

private:
    std::string text_;  // normalised, with userinfo, without fragment
    std::uint16_t scheme_end_ = 0;
    std::uint16_t host_begin_ = 0;
    std::uint16_t host_end_ = 0;
    std::uint16_t path_begin_ = 0;
    std::uint16_t port_ = 0;
    bool explicit_port_ = false;
};

}  // namespace sonde::probes

// URLs by RFC 3986: the split of appendix B, the resolution of section 5.2. Boost.URL 1.81 refuses
// zones, IDN and characters that servers take in queries, so it is of no use for URLs as people
// have them.
#include "probes/url.hpp"

#include "probes/url_host.hpp"
#include "probes/url_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace sonde::probes {

namespace {

struct DefaultPort {
    std::string_view scheme;
    std::uint16_t port;
};

constexpr std::array<DefaultPort, 6> default_ports{
    {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}, {"socks5", 1080}, {"socks5h", 1080}}};

std::uint16_t default_port(std::string_view scheme) {
    for (const auto& entry : default_ports) {
        if (entry.scheme == scheme) {
            return entry.port;
        }
    }
    return 0;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
}

/// A URL cut at its delimiters, nothing decoded; the fragment is left out.
struct Parts {
    std::optional<std::string_view> scheme;
    std::optional<std::string_view> authority;
    std::string_view path;
    std::optional<std::string_view> query;
};

Parts split(std::string_view text) {
    Parts parts;
    text = text.substr(0, text.find('#'));
    const auto end = text.find_first_of(":/?");
    if (end != std::string_view::npos && text[end] == ':' && end > 0 &&
        is_url_alpha(text.front()) && std::ranges::all_of(text.substr(0, end), [](char c) {
            return is_url_alnum(c) || c == '+' || c == '-' || c == '.';
        })) {
        parts.scheme = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    if (text.starts_with("//")) {
        text.remove_prefix(2);
        parts.authority = text.substr(0, text.find_first_of("/?"));
        text.remove_prefix(parts.authority->size());
    }
    parts.path = text.substr(0, text.find('?'));
    text.remove_prefix(parts.path.size());
    if (!text.empty()) {
        parts.query = text.substr(1);
    }
    return parts;
}

/// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        // `path` begins with '/', which the callers see to.
        const auto segment = path.substr(0, std::min(path.find('/', 1), path.size()));
        path.remove_prefix(segment.size());
        if (segment == "/." || segment == "/..") {
            if (segment == "/..") {
                out.resize(std::min(out.rfind('/'), out.size()));
            }
            out += path.empty() ? "/" : "";
        } else {
            out += segment;
        }
    }
    return out;
}

std::string bracketed(std::string_view host) {
    const bool ipv6 = host.find(':') != std::string_view::npos;
    return ipv6 ? '[' + std::string{host} + ']' : std::string{host};
}

struct Authority {
    std::string userinfo;
    std::string host;
    bool ipv6 = false;
    std::uint16_t port = 0;  // 0: none given
};

std::optional<std::uint16_t> parse_port(std::string_view text, std::string& error) {
    unsigned value = 0;
    for (const char c : text) {
        if (!is_url_digit(c) || value > std::numeric_limits<std::uint16_t>::max()) {
            value = 0;
            break;
        }
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value == 0 || value > std::numeric_limits<std::uint16_t>::max()) {
        error = "the port is not a number from 1 to 65535";
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(value);
}

// What is wrong is never quoted: with a '/' in a password, the password is where the port should
// be.
std::optional<Authority> parse_authority(std::string_view text, std::string& error) {
    Authority result;
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        result.userinfo = url_escape(text.substr(0, at), "");
        text.remove_prefix(at + 1);
    }
    std::string_view host;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) {
            error = "the host has a \"[\" without its \"]\"";
            return std::nullopt;
        }
        result.ipv6 = true;
        result.host = parse_ipv6_literal(text.substr(1, close - 1), error);
        text.remove_prefix(close + 1);
        if (!result.host.empty() && !text.empty() && text.front() != ':') {
            error = "there is text between the host's \"]\" and the port";
            return std::nullopt;
        }
    } else {
        host = text.substr(0, text.find(':'));
        if (host.empty()) {
            error = "there is no host";
            return std::nullopt;
        }
        result.host = parse_host_name(host, error);
        text.remove_prefix(host.size());
    }
    if (result.host.empty()) {
        return std::nullopt;
    }
    if (text.size() > 1) {
        const auto port = parse_port(text.substr(1), error);
        if (!port) {
            return std::nullopt;
        }
        result.port = *port;
    }
    return result;
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text, std::string& error) {
    constexpr std::size_t longest = std::numeric_limits<std::uint16_t>::max();
    const auto refuse = [&error](std::string why) {
        error = std::move(why);
        return std::nullopt;
    };
    if (text.size() > longest) {
        return refuse("the URL is longer than 64 KiB");
    }
    if (std::ranges::any_of(text, is_control)) {
        return refuse("the URL has a control character");
    }
    if (text.starts_with(' ') || text.ends_with(' ')) {
        return refuse("the URL has a blank at its start or end");
    }
    const auto parts = split(text);
    if (!parts.scheme) {
        return refuse("the URL has no scheme such as https://");
    }
    if (!parts.authority) {
        return refuse("there is no \"//\" and host behind the scheme");
    }
    const auto authority = parse_authority(*parts.authority, error);
    if (!authority) {
        return std::nullopt;
    }
    Url url;
    url.text_ = url_lower(*parts.scheme);
    const auto known_port = default_port(url.text_);
    const auto scheme_end = url.text_.size();
    url.text_ += "://";
    if (!authority->userinfo.empty()) {
        url.text_ += authority->userinfo + '@';
    }
    url.text_ += authority->ipv6 ? "[" : "";
    const auto host_begin = url.text_.size();
    url.text_ += authority->host;
    const auto host_end = url.text_.size();
    url.text_ += authority->ipv6 ? "]" : "";
    url.explicit_port_ = authority->port != 0 && authority->port != known_port;
    url.port_ = url.explicit_port_ ? authority->port : known_port;
    if (url.explicit_port_) {
        url.text_ += ':' + std::to_string(url.port_);
    }
    const auto path_begin = url.text_.size();
    // "tcp://host:22" stays without a path; where there are requests, the empty path is "/".
    if (parts.path.empty() && (known_port != 0 || parts.query)) {
        url.text_ += '/';
    }
    url.text_ += url_escape(parts.path, "@/");
    if (parts.query) {
        url.text_ += '?' + url_escape_query(*parts.query);
    }
    if (url.text_.size() > longest) {
        return refuse("the URL is longer than 64 KiB");
    }
    url.scheme_end_ = static_cast<std::uint16_t>(scheme_end);
    url.host_begin_ = static_cast<std::uint16_t>(host_begin);
    url.host_end_ = static_cast<std::uint16_t>(host_end);
    url.path_begin_ = static_cast<std::uint16_t>(path_begin);
    return url;
}

std::optional<Url> Url::resolve(std::string_view reference, std::string& error) const {
    const auto parts = split(reference);
    if (parts.scheme) {
        return parse(reference.substr(0, reference.find('#')), error);
    }
    if (parts.authority) {
        return parse(
            std::string{scheme()} + ':' + std::string{reference.substr(0, reference.find('#'))},
            error);
    }
    const auto base = split(text_);
    std::string path;
    auto query = parts.query;
    if (parts.path.empty()) {
        path = base.path;
        query = query ? query : base.query;
    } else if (parts.path.starts_with('/')) {
        path = remove_dot_segments(parts.path);
    } else {
        const auto directory = base.path.substr(0, base.path.rfind('/') + 1);
        path = remove_dot_segments((directory.empty() ? "/" : std::string{directory}) +
                                   std::string{parts.path});
    }
    auto whole = text_.substr(0, path_begin_) + path;
    if (query) {
        whole += '?' + std::string{*query};
    }
    return parse(whole, error);
}

std::string_view Url::scheme() const {
    return std::string_view{text_}.substr(0, scheme_end_);
}

std::string_view Url::host() const {
    return std::string_view{text_}.substr(host_begin_, host_end_ - host_begin_);
}

std::uint16_t Url::port() const {
    return port_;
}

std::string_view Url::userinfo() const {
    constexpr std::size_t separator = std::string_view{"://"}.size();
    const auto before_host = std::string_view{text_}.substr(0, host_begin_);
    const auto at = before_host.rfind('@');
    return at == std::string_view::npos
               ? std::string_view{}
               : before_host.substr(scheme_end_ + separator, at - scheme_end_ - separator);
}

std::string_view Url::request_target() const {
    const auto target = std::string_view{text_}.substr(path_begin_);
    return target.empty() ? std::string_view{"/"} : target;
}

std::string Url::host_header() const {
    auto result = bracketed(host().substr(0, host().find('%')));
    if (explicit_port_) {
        result += ':' + std::to_string(port_);
    }
    return result;
}

std::string Url::origin() const {
    return std::string{scheme()} + "://" + host_header();
}

std::string Url::show() const {
    auto name = std::string{host()};
    if (const auto zone = name.find('%'); zone != std::string::npos) {
        name.insert(zone + 1, "25");  // RFC 6874
    }
    auto result = std::string{scheme()} + "://" + bracketed(name);
    if (explicit_port_) {
        result += ':' + std::to_string(port_);
    }
    return result + text_.substr(path_begin_);
}

}  // namespace sonde::probes

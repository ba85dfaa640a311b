// Percent-encoding, as little of it as RFC 3986 and HTTP demand.
#include "probes/url_text.hpp"

#include <algorithm>
#include <cstddef>

namespace sonde::probes {

namespace {

int hex_value(char c) {
    if (is_url_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_escape(std::string_view text, std::size_t at) {
    return at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
}

void append_escaped(std::string& out, char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
}

}  // namespace

std::string url_lower(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

std::string url_escape(std::string_view text, std::string_view more) {
    constexpr std::string_view allowed = "-._~!$&'()*+,;=:";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_url_alnum(c) || allowed.find(c) != std::string_view::npos ||
            more.find(c) != std::string_view::npos || (c == '%' && is_escape(text, i))) {
            out += c;
        } else {
            append_escaped(out, c);
        }
    }
    return out;
}

std::string url_escape_query(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == ' ' || static_cast<unsigned char>(c) >= 0x80) {
            append_escaped(out, c);
        } else {
            out += c;
        }
    }
    return out;
}

std::string url_unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && is_escape(text, i)) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace sonde::probes

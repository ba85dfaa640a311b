#include "probes/kinds/http/request.hpp"

#include <openssl/evp.h>

namespace sonde::probes::http {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// RFC 7617: user-id ":" password in base64.
std::string basic_credentials(std::string_view userinfo) {
    std::string plain = percent_decoded(userinfo);
    if (plain.find(':') == std::string::npos) {
        plain += ':';
    }
    std::string out(4 * ((plain.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(plain.data()),
                                     static_cast<int>(plain.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

}  // namespace

std::string make_request(const Spec& spec, const Url& url, bool private_headers) {
    std::string out;
    out.reserve(256 + spec.header_lines.size() + spec.private_header_lines.size());
    out.append("GET ").append(url.request_target()).append(" HTTP/1.1\r\nHost: ");
    out.append(private_headers && !spec.host_header.empty() ? spec.host_header : url.host_header());
    out.append("\r\n").append(spec.header_lines);
    if (private_headers) {
        out.append(spec.private_header_lines);
        const std::string_view userinfo = url.userinfo();
        if (!userinfo.empty() && !spec.sets_authorization) {
            out.append("Authorization: Basic ").append(basic_credentials(userinfo)).append("\r\n");
        }
    }
    return out.append("\r\n");
}

}  // namespace sonde::probes::http

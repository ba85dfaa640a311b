#include "probes/kinds/http/request.hpp"

#include "probes/url_text.hpp"

#include <openssl/evp.h>

namespace sonde::probes::http {

namespace {

/// RFC 7617: user-id ":" password in base64.
std::string basic_credentials(std::string_view userinfo) {
    std::string plain = url_unescape(userinfo);
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

std::string make_request(const Spec& spec, const Url& url, const Url* owner) {
    std::string out;
    out.reserve(256 + spec.header_lines.size() + spec.private_header_lines.size());
    out.append("GET ").append(url.request_target()).append(" HTTP/1.1\r\nHost: ");
    out.append(owner != nullptr && !spec.host_header.empty() ? spec.host_header
                                                             : url.host_header());
    out.append("\r\n").append(spec.header_lines);
    if (owner != nullptr) {
        out.append(spec.private_header_lines);
        const std::string_view userinfo = owner->userinfo();
        if (!userinfo.empty() && !spec.sets_authorization) {
            out.append("Authorization: Basic ").append(basic_credentials(userinfo)).append("\r\n");
        }
    }
    return out.append("\r\n");
}

}  // namespace sonde::probes::http

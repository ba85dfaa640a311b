#include "probes/kinds/http/request.hpp"

#include "probes/url_text.hpp"

#include <openssl/evp.h>

#include <string>
#include <string_view>

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

RequestText make_request(const Spec& spec, const Url& url, const Url* owner) {
    RequestText out;
    const auto add = [&out](std::string_view text) {
        out.insert(out.end(), text.begin(), text.end());
    };
    add("GET ");
    add(url.request_target());
    add(" HTTP/1.1\r\nHost: ");
    add(owner != nullptr && !spec.host_header.empty() ? spec.host_header : url.host_header());
    add("\r\n");
    add(spec.header_lines);
    if (owner != nullptr) {
        add(spec.private_header_lines);
        const std::string_view userinfo = owner->userinfo();
        if (!userinfo.empty() && !spec.sets_authorization) {
            add("Authorization: Basic ");
            add(basic_credentials(userinfo));
            add("\r\n");
        }
    }
    add("\r\n");
    return out;
}

}  // namespace sonde::probes::http

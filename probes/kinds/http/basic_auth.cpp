#include "probes/kinds/http/basic_auth.hpp"

#include "probes/url_text.hpp"

#include <openssl/evp.h>

namespace sonde::probes::http {

namespace {

/// RFC 4648 section 4.
std::string base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

}  // namespace

std::string basic_auth(std::string_view username, std::string_view password) {
    std::string plain{username};
    plain.append(":").append(password);
    return "Basic " + base64(plain);
}

std::string basic_auth(std::string_view userinfo) {
    std::string plain = url_unescape(userinfo);
    if (plain.find(':') == std::string::npos) {
        plain += ':';
    }
    return "Basic " + base64(plain);
}

}  // namespace sonde::probes::http

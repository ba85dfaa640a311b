// What an http check asks for: method, header fields, credentials and body. Read from the
// configuration here; request.cpp makes the bytes.
#pragma once

#include "config/table.hpp"

#include <string>
#include <vector>

namespace sonde::probes::http {

struct RequestSpec {
    std::string method = "GET";
    std::string header_lines;          // what every request says, each line with its CRLF
    std::string private_header_lines;  // Authorization, Cookie and secrets: for the target's own
                                       // host only
    bool sets_authorization = false;
    std::string cookies;      // of the settings, for the target's own host only
    std::string host_header;  // instead of the url's; empty: none
    std::string body;
    bool has_body = false;
    bool private_body = false;  // the body is a secret: for the target's own host only
};

/// Reads and documents the keys. `encodings`: the content codings to ask for; empty: all that we
/// know. False when anything was wrong; what, is in the table's
/// diagnostics.
[[nodiscard]] bool read_request_spec(config::Table& table,
                                     const std::vector<std::string>& encodings,
                                     RequestSpec& spec);

}  // namespace sonde::probes::http

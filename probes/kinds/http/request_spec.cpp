#include "probes/kinds/http/request_spec.hpp"

#include "probes/kinds/http/basic_auth.hpp"
#include "probes/kinds/http/field_text.hpp"
#include "probes/url_text.hpp"

#include <array>
#include <map>
#include <string_view>
#include <vector>

namespace sonde::probes::http {

namespace {

using config::Table;
using config::Text;

bool is_credential(std::string_view lower_name) {
    return lower_name == "authorization" || lower_name == "proxy-authorization";
}

bool read_method(Table& table, RequestSpec& spec) {
    table.read({"method",
                "Request method, as it is sent: `GET`, `HEAD`, `POST`, or any other (RFC 9110)."},
               spec.method);
    if (!is_token(spec.method)) {
        table.error("method", "must be a method such as GET or POST");
        return false;
    }
    if (spec.method == "CONNECT") {
        table.error("method", "CONNECT asks a proxy for a tunnel, not a website for a page");
        return false;
    }
    return true;
}

std::string accept_encoding(const std::vector<std::string>& encodings) {
    if (encodings.empty()) {
        return "gzip, deflate, br, zstd";
    }
    std::string text;
    for (const std::string& encoding : encodings) {
        text += (text.empty() ? "" : ", ") + encoding;
    }
    return text;
}

bool read_headers(Table& table, const std::vector<std::string>& encodings, RequestSpec& spec) {
    bool good = true;
    std::string user_agent = "Sonde/" SONDE_VERSION;
    table.read({"user_agent", "`User-Agent` header field, unless `headers` has one."}, user_agent);
    if (!is_field_value(user_agent)) {
        table.error("user_agent", "must not contain a line break or NUL");
        good = false;
    }
    std::map<std::string, Text> headers;
    table.read({"headers",
                "Request header fields, each a string or a secret. Case makes no difference in "
                "their names. `Host` replaces the url's."},
               headers,
               config::Names::any_case);
    std::map<std::string, std::string> defaults = {
        {"user-agent", "User-Agent: " + user_agent + "\r\n"},
        {"accept", "Accept: */*\r\n"},
        {"accept-encoding", "Accept-Encoding: " + accept_encoding(encodings) + "\r\n"},
    };
    for (const auto& [name, value] : headers) {
        const std::string key = url_lower(name);
        if (!check_field(table, "headers", name, value)) {
            good = false;
        } else if (key == "host") {
            spec.host_header = value.reveal();
        } else if (key == "cookie") {
            spec.cookies = value.reveal();
        } else if (key == "connection" || key == "content-length" || key == "transfer-encoding") {
            table.error_in("headers", name, "is set by Sonde itself");
            good = false;
        } else {
            defaults.erase(key);
            spec.sets_authorization = spec.sets_authorization || key == "authorization";
            const bool only_own_host = value.is_secret() || is_credential(key);
            (only_own_host ? spec.private_header_lines : spec.header_lines) +=
                name + ": " + value.reveal() + "\r\n";
        }
    }
    for (const auto& [key, line] : defaults) {
        spec.header_lines += line;
    }
    return good;
}

/// The credentials of the header field, or what is wrong with them.
struct Credentials {
    std::string value;
    std::string error;
};

Credentials read_basic(Table& table) {
    Table basic = table.sub({"basic_auth", "Credentials for basic authentication (RFC 7617)."});
    Text username;
    Text password;
    basic.read({"username", "User name."}, username);
    basic.read({"password", "Password."}, password);
    if (!basic.origin("username") && table.origin("basic_auth")) {
        basic.error("username", "is missing");
    }
    if (username.reveal().find(':') != std::string::npos) {
        return {{}, "the user name must not contain a colon"};
    }
    return {basic_auth(username.reveal(), password.reveal()), {}};
}

Credentials read_bearer(Table& table) {
    Text token;
    table.read({"bearer_token", "Token that is sent as `Authorization: Bearer`."}, token);
    return {"Bearer " + token.reveal(), token.reveal().empty() ? "must not be empty" : ""};
}

Credentials read_authorization(Table& table) {
    Table own = table.sub(
        {"authorization", "The `Authorization` header field, with any scheme (RFC 9110)."});
    std::string type = "Bearer";
    Text credentials;
    own.read({"type", "The authentication scheme."}, type);
    own.read({"credentials", "What follows the scheme."}, credentials);
    if (credentials.reveal().empty() && table.origin("authorization")) {
        own.error("credentials", "must be there and not be empty");
    }
    if (!is_token(type)) {
        return {{}, "the type must be the name of a scheme, such as Bearer"};
    }
    return {type + " " + credentials.reveal(), {}};
}

bool read_credentials(Table& table, RequestSpec& spec) {
    struct Way {
        std::string_view key;
        Credentials (*read)(Table&);
    };

    constexpr std::array<Way, 3> ways{{{"basic_auth", read_basic},
                                       {"bearer_token", read_bearer},
                                       {"authorization", read_authorization}}};
    std::string_view first = spec.sets_authorization ? "headers.Authorization" : "";
    bool good = true;
    for (const auto& [key, read] : ways) {
        const Credentials found = read(table);
        if (!table.origin(key)) {
            continue;
        }
        std::string error = found.error;
        if (!first.empty()) {
            error = "there is " + std::string{first} + " too; `" + std::string{first} +
                    " = false` removes what is inherited";
        } else if (!is_field_value(found.value)) {
            error = "must not contain a line break or NUL";
        }
        if (!error.empty()) {
            table.error(key, error);
            good = false;
        }
        first = key;
        spec.sets_authorization = true;
        spec.private_header_lines += "Authorization: " + found.value + "\r\n";
    }
    return good;
}

bool read_body(Table& table, RequestSpec& spec) {
    Text body;
    Text path;
    std::string content;
    const bool has_text = table.read({"body", "Body of the request."}, body);
    const bool has_file = table.read_file(
        {"body_file", "File whose bytes are the body of the request."}, path, content);
    const auto text_at = table.origin("body");
    const auto file_at = table.origin("body_file");
    if (text_at && file_at && *text_at == *file_at) {
        table.error("body_file", "there is `body` too; one of them is the body");
        return false;
    }
    // The more specific of the two.
    const bool from_file = file_at && (!text_at || *file_at < *text_at);
    table.conclude("body", from_file ? "of the file" : "of the text");
    spec.has_body = from_file ? has_file : has_text;
    spec.body = from_file ? std::move(content) : body.reveal();
    spec.private_body = !from_file && body.is_secret();
    return from_file ? has_file : has_text || !text_at;
}

}  // namespace

bool read_request_spec(Table& table, const std::vector<std::string>& encodings, RequestSpec& spec) {
    const bool method = read_method(table, spec);
    const bool headers = read_headers(table, encodings, spec);
    const bool credentials = read_credentials(table, spec);
    const bool body = read_body(table, spec);
    return method && headers && credentials && body;
}

}  // namespace sonde::probes::http

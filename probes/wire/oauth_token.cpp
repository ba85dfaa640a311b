#include "probes/wire/oauth_token.hpp"

#include "probes/url_text.hpp"
#include "probes/wire/printable.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace sonde::probes::wire {

namespace {

namespace json = boost::json;

constexpr std::size_t told_bytes = 200;

/// What the server says for people, unless it repeats what nobody may see.
std::string told(std::string_view text, std::span<const std::string_view> secrets) {
    const bool repeats = std::ranges::any_of(secrets, [text](std::string_view secret) {
        return !secret.empty() && (text.find(secret) != std::string_view::npos ||
                                   text.find(form_encode(secret)) != std::string_view::npos);
    });
    if (repeats) {
        return "(not shown: it has a secret in it)";
    }
    return printable(text, told_bytes) + (text.size() > told_bytes ? "..." : "");
}

std::string_view string_in(const json::object& answer, std::string_view key) {
    const auto* const value = answer.if_contains(key);
    const auto* const text = value ? value->if_string() : nullptr;
    return text ? std::string_view{text->data(), text->size()} : std::string_view{};
}

/// RFC 6750 section 2.1.
bool is_b64token(std::string_view token) {
    static constexpr std::string_view marks = "-._~+/";
    const auto end = token.find_last_not_of('=');
    return end != std::string_view::npos &&
           std::ranges::all_of(token.substr(0, end + 1), [](char c) {
               return is_url_alnum(c) || marks.find(c) != std::string_view::npos;
           });
}

/// Nothing when it is no number of seconds; what is more than fits becomes the most.
std::optional<std::chrono::seconds> lifetime(const json::value& value) {
    constexpr double most = std::numeric_limits<std::int32_t>::max();
    double seconds = -1;
    if (const auto* const text = value.if_string()) {
        // Some servers put the number in quotes.
        if (text->empty() || !std::ranges::all_of(*text, is_url_digit)) {
            return std::nullopt;
        }
        const auto read = std::from_chars(text->begin(), text->end(), seconds);
        if (read.ec == std::errc::result_out_of_range) {
            seconds = most;
        }
    } else if (value.is_number()) {
        seconds = value.to_number<double>();
    }
    if (seconds < 0) {
        return std::nullopt;
    }
    return std::chrono::seconds{static_cast<std::int64_t>(std::min(seconds, most))};
}

/// RFC 6749 section 5.2.
std::string refusal(unsigned status,
                    const json::object& answer,
                    std::span<const std::string_view> secrets) {
    const auto code = string_in(answer, "error");
    const auto description = string_in(answer, "error_description");
    std::string text = "status " + std::to_string(status);
    if (!code.empty()) {
        text += ", " + told(code, secrets);
    }
    if (!description.empty()) {
        text += ": " + told(description, secrets);
    }
    return text;
}

/// RFC 6749 section 5.1.
std::optional<OAuthToken> granted(const json::object& answer,
                                  std::span<const std::string_view> secrets,
                                  std::string& error) {
    const auto token = string_in(answer, "access_token");
    const auto type = string_in(answer, "token_type");
    if (token.empty()) {
        error = "no access_token in the answer";
        return std::nullopt;
    }
    if (!is_b64token(token)) {
        error = "the access_token has characters that no header may carry (RFC 6750)";
        return std::nullopt;
    }
    if (type.empty()) {
        error = "no token_type in the answer";
        return std::nullopt;
    }
    if (url_lower(type) != "bearer") {
        error = "the token_type is \"" + told(type, secrets) + "\", only Bearer can be sent";
        return std::nullopt;
    }
    OAuthToken result{.access_token = std::string{token}, .expires_in = std::nullopt};
    const auto* const expires = answer.if_contains("expires_in");
    if (expires != nullptr && !expires->is_null()) {
        result.expires_in = lifetime(*expires);
        if (!result.expires_in) {
            error = "expires_in is no number of seconds";
            return std::nullopt;
        }
    }
    return result;
}

}  // namespace

std::string form_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view plain = "*-._";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_url_alnum(c) || plain.find(c) != std::string_view::npos) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

std::string check_oauth_parameter(std::string_view name) {
    constexpr std::array<std::string_view, 4> ours{
        "grant_type", "scope", "client_id", "client_secret"};
    if (name.empty()) {
        return "a parameter has no name";
    }
    // RFC 6749 section 3.2: none may come twice.
    return std::ranges::find(ours, name) == ours.end()
               ? std::string{}
               : '"' + std::string{name} + "\" is sent by itself, it is no additional parameter";
}

std::string oauth_request_body(const OAuthRequest& request) {
    std::string body = "grant_type=client_credentials";
    const auto add = [&body](std::string_view name, std::string_view value) {
        body.append("&").append(form_encode(name)).append("=").append(form_encode(value));
    };
    std::string scope;
    for (const auto& item : request.scopes) {
        scope += (scope.empty() ? "" : " ") + item;
    }
    if (!scope.empty()) {
        add("scope", scope);
    }
    if (request.secret_in_body) {
        add("client_id", request.client_id);
        add("client_secret", request.client_secret);
    }
    for (const auto& [name, value] : request.parameters) {
        add(name, value);
    }
    return body;
}

std::optional<OAuthToken> read_oauth_answer(unsigned status,
                                            std::string_view body,
                                            std::string_view client_secret,
                                            std::string& error) {
    const std::string prefix = "status " + std::to_string(status) + ", ";
    if (body.size() > max_oauth_answer) {
        error = prefix + "the answer is over 64 KiB";
        return std::nullopt;
    }
    boost::system::error_code broken;
    const auto value = json::parse(body, broken);
    const auto* const answer = value.if_object();
    if (broken || answer == nullptr) {
        error = prefix + (broken ? "the answer is not JSON" : "the answer is no JSON object");
        return std::nullopt;
    }
    const std::array secrets{client_secret, string_in(*answer, "access_token")};
    // Some servers refuse with status 200.
    if (status < 200 || status > 299 || !string_in(*answer, "error").empty()) {
        error = refusal(status, *answer, secrets);
        return std::nullopt;
    }
    return granted(*answer, secrets, error);
}

}  // namespace sonde::probes::wire

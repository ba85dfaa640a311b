// OAuth 2.0 client credentials (RFC 6749 section 4.4): the settings, the token that targets with
// equal settings share, and how it is asked for. wire/oauth_token has the request and its answer.
#pragma once

#include "config/table.hpp"
#include "probes/kinds/http/spec.hpp"
#include "probes/run_context.hpp"
#include "probes/url.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

namespace sonde::probes::http {

class OAuthSource {
public:
    /// `request` asks `token_url` for a token and keeps the answer's body.
    OAuthSource(std::shared_ptr<const Spec> request, Url token_url, std::string client_secret);

    /// The token to send, asked for now when there is none that still holds for a while. What is
    /// told in Refused is one line, without secrets. Cancellation: Refused, at once.
    struct Refused {
        std::string why;
    };

    [[nodiscard]] boost::asio::awaitable<std::variant<std::string, Refused>> token(
        const RunContext& context) const;

    /// The server did not take it: the next check asks for another.
    void forget(const std::string& token) const;

private:
    struct Held {
        std::string token;
        net::TimePoint refresh_at;
    };

    [[nodiscard]] std::optional<std::string> held(net::TimePoint now) const;

    std::shared_ptr<const Spec> request_;
    Url token_url_;
    std::string client_secret_;
    mutable std::mutex mutex_;
    mutable std::optional<Held> held_;
};

/// Reads and documents the keys, after all others: the token is asked for by the same ways as the
/// target. False when anything was wrong; what, is in the table's diagnostics.
[[nodiscard]] bool read_oauth(config::Table& table, Spec& spec);

}  // namespace sonde::probes::http

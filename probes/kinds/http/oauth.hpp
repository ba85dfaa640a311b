// OAuth 2.0 client credentials (RFC 6749 section 4.4): the settings, the token that targets with
// equal settings share, and how it is asked for. wire/oauth_token has the request and its answer.
#pragma once

#include "config/table.hpp"
#include "probes/kinds/http/spec.hpp"
#include "probes/run_context.hpp"
#include "probes/url.hpp"

#include <boost/asio/awaitable.hpp>

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

    /// Why there is no token, in one line, without secrets.
    struct Refused {
        std::string why;
        bool exhausted = false;  // see ProbeResult
    };

    /// The token to send, asked for now when there is none that still holds for a while; one that
    /// still holds is enough while another check asks. A token that took more than half of the
    /// check's time to get is for the next check. Cancellation: Refused, at once.
    [[nodiscard]] boost::asio::awaitable<std::variant<std::string, Refused>> token(
        const RunContext& context) const;

    /// The server did not take it: the next check asks for another.
    void forget(const std::string& token) const;

private:
    struct Held {
        std::string token;
        net::TimePoint refresh_at;
        net::TimePoint ends_at;
    };

    /// Nothing: whoever asks is to fetch one, and says so by fetched() when that has ended.
    [[nodiscard]] std::optional<std::string> held(net::TimePoint now) const;
    void fetched(std::optional<Held> token) const;
    [[nodiscard]] boost::asio::awaitable<std::variant<std::string, Refused>> fetch(
        const RunContext& context) const;

    std::shared_ptr<const Spec> request_;
    Url token_url_;
    std::string client_secret_;
    mutable std::mutex mutex_;
    mutable std::optional<Held> held_;
    mutable bool fetching_ = false;
};

/// Reads and documents the keys, after all others: the token is asked for by the same ways as the
/// target. False when anything was wrong; what, is in the table's diagnostics.
[[nodiscard]] bool read_oauth(config::Table& table, Spec& spec);

}  // namespace sonde::probes::http

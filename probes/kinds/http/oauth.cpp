#include "probes/kinds/http/oauth.hpp"

#include "probes/digest.hpp"
#include "probes/kinds/http/basic_auth.hpp"
#include "probes/kinds/http/field_text.hpp"
#include "probes/kinds/http/hop.hpp"
#include "probes/kinds/http/http.hpp"
#include "probes/shared_values.hpp"
#include "probes/wire/oauth_token.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

using config::Table;
using config::Text;

/// A token that says nothing of its end is asked for anew after so long.
constexpr std::chrono::minutes unknown_life{5};

/// Before its end, so that no check meets a token that ends on its way.
net::TimePoint refresh_time(net::TimePoint now, const wire::OAuthToken& token) {
    const std::chrono::nanoseconds life = token.expires_in.value_or(unknown_life);
    return now + life - std::min<std::chrono::nanoseconds>(life / 5, std::chrono::minutes{1});
}

struct Settings {
    Text client_id;
    Text client_secret;
    Text token_url;
    std::vector<std::string> scopes;
    std::map<std::string, Text> parameters;
    bool in_body = false;
};

void read_keys(Table& table, Settings& settings) {
    table.read({"client_id", "The client's id."}, settings.client_id);
    table.read({"client_secret", "Its secret."}, settings.client_secret);
    table.read({"token_url", "Where tokens are asked for."}, settings.token_url);
    table.read({"scopes", "Scopes to ask for."}, settings.scopes);
    table.read({"endpoint_params", "Further parameters of the request for a token."},
               settings.parameters);
    static constexpr std::array<std::string_view, 2> styles{"header", "body"};
    std::string style{styles[0]};
    table.read_word({"auth_style",
                     "How id and secret are sent: as basic authentication (`header`), or in the "
                     "`body`."},
                    style,
                    styles);
    settings.in_body = style == "body";
}

std::optional<Url> check(Table& table, const Settings& settings) {
    bool good = true;
    for (const auto& [key, value] : {std::pair{"client_id", &settings.client_id},
                                     std::pair{"client_secret", &settings.client_secret},
                                     std::pair{"token_url", &settings.token_url}}) {
        if (!table.origin(key)) {
            table.error(key, "is missing");
            good = false;
        }
    }
    for (const auto& [name, value] : settings.parameters) {
        const std::string problem = wire::check_oauth_parameter(name);
        if (!problem.empty()) {
            table.error_in("endpoint_params", name, problem);
            good = false;
        }
    }
    if (!good) {
        return std::nullopt;
    }
    std::string error;
    auto url = Url::parse(settings.token_url.reveal(), error);
    if (url) {
        error = check_url(*url);
    }
    if (!error.empty()) {
        table.error(
            "token_url",
            settings.token_url.is_secret() ? "the secret does not hold an http(s) url" : error);
        return std::nullopt;
    }
    return url;
}

/// What is sent to the token's endpoint, by the ways of the target's own settings.
std::shared_ptr<const Spec> token_request(const Spec& target, const Settings& settings) {
    auto spec = std::make_shared<Spec>();
    spec->dial = target.dial;
    spec->dial.pinned.reset();
    spec->proxies = target.proxies;
    spec->tls = spec->tls_elsewhere = target.tls_elsewhere;
    spec->insecure_skip_verify = target.insecure_skip_verify;
    spec->follow_redirects = false;
    spec->max_body = wire::max_oauth_answer + 1;
    spec->keep_body = wire::max_oauth_answer + 1;
    std::vector<std::pair<std::string, std::string>> parameters;
    for (const auto& [name, value] : settings.parameters) {
        parameters.emplace_back(name, value.reveal());
    }
    RequestSpec& request = spec->request;
    request.method = "POST";
    request.has_body = true;
    request.body = wire::oauth_request_body({.scopes = settings.scopes,
                                             .parameters = parameters,
                                             .client_id = settings.client_id.reveal(),
                                             .client_secret = settings.client_secret.reveal(),
                                             .secret_in_body = settings.in_body});
    request.header_lines =
        "User-Agent: Sonde/" SONDE_VERSION
        "\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    if (!settings.in_body) {
        request.sets_authorization = true;
        request.private_header_lines =
            "Authorization: " +
            basic_auth(wire::form_encode(settings.client_id.reveal()),
                       wire::form_encode(settings.client_secret.reveal())) +
            "\r\n";
    }
    return spec;
}

/// Targets whose token is asked for in the same way share it.
std::shared_ptr<const OAuthSource> shared_source(const std::shared_ptr<const Spec>& request,
                                                 const Url& url,
                                                 const std::string& secret,
                                                 const std::string& identity) {
    static SharedValues<OAuthSource> sources;
    const Digest digest =
        sha256(url.show() + '\0' + std::string{url.userinfo()} + '\0' + request->request.body +
               '\0' + request->request.private_header_lines + '\0' + secret + '\0' + identity);
    std::string key{digest.begin(), digest.end()};
    if (auto known = sources.find(key)) {
        return known;
    }
    return sources.put(std::move(key), std::make_shared<const OAuthSource>(request, url, secret));
}

}  // namespace

OAuthSource::OAuthSource(std::shared_ptr<const Spec> request,
                         Url token_url,
                         std::string client_secret)
    : request_(std::move(request)),
      token_url_(std::move(token_url)),
      client_secret_(std::move(client_secret)) {}

std::optional<std::string> OAuthSource::held(net::TimePoint now) const {
    const std::scoped_lock lock{mutex_};
    if (held_ && now < (fetching_ ? held_->ends_at : held_->refresh_at)) {
        return held_->token;
    }
    fetching_ = true;
    return std::nullopt;
}

void OAuthSource::fetched(std::optional<Held> token) const {
    const std::scoped_lock lock{mutex_};
    fetching_ = false;
    if (token) {
        held_ = std::move(token);
    }
}

void OAuthSource::forget(const std::string& token) const {
    const std::scoped_lock lock{mutex_};
    if (held_ && held_->token == token) {
        held_.reset();
    }
}

asio::awaitable<std::variant<std::string, OAuthSource::Refused>> OAuthSource::token(
    const RunContext& context) const {
    if (auto known = held(context.now())) {
        co_return *std::move(known);
    }
    auto answer = co_await fetch(context);
    if (std::holds_alternative<Refused>(answer)) {
        fetched(std::nullopt);
    }
    const net::TimePoint half = context.deadline.at - context.deadline.timeout / 2;
    if (std::holds_alternative<std::string>(answer) && context.now() > half) {
        co_return Refused{"a token of " + token_url_.origin() +
                          " came only after half of the timeout; the next check has it"};
    }
    co_return answer;
}

asio::awaitable<std::variant<std::string, OAuthSource::Refused>> OAuthSource::fetch(
    const RunContext& context) const {
    // Nobody watches this request: it is no part of the check.
    Env env = context.env;
    env.trace = nullptr;
    const RunContext apart{env, context.deadline, context.cancellation};
    Check check{apart, *request_, token_url_};
    const RequestForm form = first_request(request_->request, false);
    Hop hop{check, token_url_, form};
    const bool answered = co_await hop.run();
    const std::string from = "a token of " + token_url_.origin() + ": ";
    if (!answered || !check.last_hop.response) {
        co_return Refused{from + check.detail, check.exhausted};
    }
    std::string error;
    auto token = wire::read_oauth_answer(
        check.last_hop.response->status, hop.receiver().kept_body(), client_secret_, error);
    if (!token) {
        co_return Refused{from + error};
    }
    const net::TimePoint now = context.now();
    fetched(Held{token->access_token,
                 refresh_time(now, *token),
                 now + token->expires_in.value_or(unknown_life)});
    co_return std::move(token->access_token);
}

bool read_oauth(Table& table, Spec& spec) {
    Table oauth = table.sub(
        {"oauth2",
         "OAuth 2.0 client credentials (RFC 6749 section 4.4): the token is asked for outside of "
         "the measured time, kept while it holds, and sent as `Authorization: Bearer`."});
    Settings settings;
    read_keys(oauth, settings);
    if (!table.origin("oauth2") || table.documenting()) {
        return true;
    }
    const auto url = check(oauth, settings);
    if (spec.request.sets_authorization) {
        table.error("oauth2", "there are other credentials too; one of them goes");
        return false;
    }
    if (!url || !spec.tls_elsewhere) {
        return false;
    }
    spec.request.sets_authorization = true;
    spec.oauth = shared_source(token_request(spec, settings),
                               *url,
                               settings.client_secret.reveal(),
                               spec.connection_identity);
    return true;
}

}  // namespace sonde::probes::http

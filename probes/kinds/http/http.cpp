#include "probes/kinds/http/http.hpp"

#include "probes/kinds/http/hop.hpp"
#include "probes/kinds/http/oauth.hpp"
#include "probes/kinds/http/request.hpp"
#include "probes/kinds/http/verdict.hpp"

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

/// Whether what was meant for `from` may be shown to `to`: the same host, and not from https to
/// http.
bool may_see_private(const Url& from, const Url& to) {
    return from.host() == to.host() &&
           (from.scheme() == to.scheme() ? from.port() == to.port()
                                         : from.scheme() == "http" && to.scheme() == "https");
}

/// Where the response sends us; nothing when the check fails for it.
std::optional<Url> next_url(Check& check, const Url& url, const std::string& location) {
    std::string error;
    auto next = url.resolve(location, error);
    if (check.redirects >= check.spec.max_redirects) {
        check.fail(Failure::too_many_redirects,
                   "the response to request " + std::to_string(check.redirects + 1) +
                       " redirects again" + (next ? ", to " + next->origin() : ""));
        return std::nullopt;
    }
    if (next) {
        error = check_url(*next);
    }
    if (!error.empty()) {
        check.fail(Failure::protocol_error, "redirect from " + url.origin() + ": " + error);
        return std::nullopt;
    }
    ++check.redirects;
    return next;
}

void take_cookies(Check& check, const Url& url, const std::vector<std::string>& values) {
    const auto now =
        std::chrono::floor<std::chrono::seconds>(check.run.env.clock.unix_now().time_since_epoch());
    for (const std::string& value : values) {
        check.cookies.store(
            value, url.host(), url.request_target(), url.scheme() == "https", now.count());
    }
}

class HttpProbe final : public Probe {
public:
    explicit HttpProbe(std::shared_ptr<const Spec> spec) : spec_(std::move(spec)) {}

    [[nodiscard]] asio::awaitable<ProbeResult> run(const Env& env,
                                                   const Target& target,
                                                   Deadline deadline) const override {
        // Cancellation is asked for where something is measured, not thrown from any co_await.
        co_await asio::this_coro::throw_if_cancelled(false);
        const RunContext context{env, deadline, co_await asio::this_coro::cancellation_state};
        RequestForm form = first_request(spec_->request, spec_->pool.has_value());
        std::string refused;
        if (spec_->oauth) {
            auto token = co_await spec_->oauth->token(context);
            if (auto* why = std::get_if<OAuthSource::Refused>(&token)) {
                refused = std::move(why->why);
            } else {
                form.token = std::get<std::string>(std::move(token));
            }
        }
        Check check{context, *spec_, target.url};
        if (!form.token.empty()) {
            check.started = context.now();
        }
        if (!refused.empty()) {
            check.fail(Failure::oauth_failed, std::move(refused));
            co_return judge(check, target.url, nullptr);
        }
        std::optional<Hop> hop;
        const Url* url = &target.url;
        Url redirected;
        for (;;) {
            hop.emplace(check, *url, form);
            const bool going = co_await hop->run();
            if (!going || !hop->redirects()) {
                break;
            }
            const std::string location = hop->receiver().location();
            take_cookies(check, *url, hop->receiver().set_cookies());
            hop.reset();
            auto next = next_url(check, *url, location);
            if (!next) {
                break;
            }
            form = after_redirect(
                std::move(form), check.last_hop.response->status, may_see_private(*url, *next));
            if (form.with_body && spec_->request.private_body && !form.to_own_host) {
                check.fail(Failure::protocol_error,
                           "redirect from " + url->origin() +
                               ": the request's body is a secret and is not sent to " +
                               next->origin());
                break;
            }
            redirected = std::move(*next);
            url = &redirected;
            form.cookies =
                check.cookies.header(url->host(), url->request_target(), url->scheme() == "https");
        }
        if (spec_->oauth && check.last_hop.response && check.last_hop.response->status == 401) {
            spec_->oauth->forget(form.token);
        }
        co_return judge(check, *url, hop ? &hop->receiver() : nullptr);
    }

private:
    std::shared_ptr<const Spec> spec_;
};

}  // namespace

std::shared_ptr<const Probe> make(config::Table& settings) {
    auto spec = read_spec(settings);
    return spec ? std::make_shared<const HttpProbe>(std::move(spec)) : nullptr;
}

std::string check_url(const Url& url) {
    return url.scheme() == "http" || url.scheme() == "https"
               ? std::string{}
               : "the scheme must be http or https, not " + std::string{url.scheme()};
}

}  // namespace sonde::probes::http

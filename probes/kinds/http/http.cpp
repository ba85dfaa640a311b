#include "probes/kinds/http/http.hpp"

#include "probes/kinds/http/hop.hpp"
#include "probes/kinds/http/request.hpp"
#include "probes/kinds/http/verdict.hpp"

#include <boost/asio/this_coro.hpp>

#include <optional>
#include <utility>

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

class HttpProbe final : public Probe {
public:
    explicit HttpProbe(std::shared_ptr<const Spec> spec) : spec_(std::move(spec)) {}

    [[nodiscard]] asio::awaitable<ProbeResult> run(const Env& env,
                                                   const Target& target,
                                                   Deadline deadline) const override {
        // Cancellation is asked for where something is measured, not thrown from any co_await.
        co_await asio::this_coro::throw_if_cancelled(false);
        const RunContext context{env, deadline, co_await asio::this_coro::cancellation_state};
        Check check{context, *spec_, target.url};
        std::optional<Hop> hop;
        const Url* url = &target.url;
        Url redirected;
        RequestForm form = first_request(spec_->request, spec_->pool.has_value());
        for (;;) {
            hop.emplace(check, *url, form);
            const bool going = co_await hop->run();
            if (!going || !hop->redirects()) {
                break;
            }
            const std::string location = hop->receiver().location();
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

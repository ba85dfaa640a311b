#include "probes/kinds/http/http.hpp"

#include "probes/kinds/http/check_run.hpp"
#include "probes/kinds/http/oauth.hpp"
#include "probes/run_context.hpp"

#include <boost/asio/this_coro.hpp>

#include <string>
#include <utility>
#include <variant>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

asio::awaitable<ProbeResult> run_as_asked(const Env& env, Deadline deadline, CheckStart start) {
    // A proxy of the environment looks the host up itself.
    const bool all = start.spec.all_addresses && start.spec.proxies.of(start.target) == nullptr;
    return all ? run_at_all_addresses(env, deadline, std::move(start))
               : run_check(env, deadline, std::move(start));
}

asio::awaitable<ProbeResult> run_with_token(const Spec& spec,
                                            const Env& env,
                                            Deadline deadline,
                                            CheckStart start) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const RunContext context{env, deadline, co_await asio::this_coro::cancellation_state};
    auto token = co_await spec.oauth->token(context);
    if (auto* why = std::get_if<OAuthSource::Refused>(&token)) {
        ProbeResult result = not_begun(context, Failure::oauth_failed, std::move(why->why));
        result.exhausted = why->exhausted;
        co_return result;
    }
    start.token = std::get<std::string>(std::move(token));
    start.began_at = context.now();
    ProbeResult result = co_await run_as_asked(env, deadline, start);
    co_return result;
}

class HttpProbe final : public Probe {
public:
    explicit HttpProbe(std::shared_ptr<const Spec> spec) : spec_(std::move(spec)) {}

    [[nodiscard]] asio::awaitable<ProbeResult> run(const Env& env,
                                                   const Target& target,
                                                   Deadline deadline) const override {
        CheckStart start{*spec_, target.url};
        return spec_->oauth ? run_with_token(*spec_, env, deadline, std::move(start))
                            : run_as_asked(env, deadline, std::move(start));
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

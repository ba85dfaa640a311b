#include "probes/kinds/http/check_run.hpp"

#include "probes/kinds/http/content.hpp"
#include "probes/kinds/http/expectation_verdicts.hpp"
#include "probes/kinds/http/hop.hpp"
#include "probes/kinds/http/http.hpp"
#include "probes/kinds/http/oauth.hpp"
#include "probes/kinds/http/request.hpp"
#include "probes/kinds/http/verdict.hpp"

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
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

/// The request that follows a redirect; nothing when the check fails for it.
std::optional<RequestForm> next_form(Check& check,
                                     RequestForm form,
                                     const Url& from,
                                     const Url& to) {
    const RequestSpec& request = check.spec.request;
    form =
        after_redirect(std::move(form), check.last_hop.response->status, may_see_private(from, to));
    if (form.with_body && request.private_body && !form.to_own_host) {
        check.fail(Failure::protocol_error,
                   "redirect from " + from.origin() +
                       ": the request's body is a secret and is not sent to " + to.origin());
        return std::nullopt;
    }
    form.cookies = check.cookies.header(to.host(), to.request_target(), to.scheme() == "https");
    return form;
}

Check begin(const RunContext& context, const CheckStart& start) {
    Check check{context, start.spec, start.target};
    if (start.address) {
        check.pinned = start.address;
    }
    if (start.began_at) {
        check.started = *start.began_at;
    }
    if (start.resolve_time) {
        check.phases.add(Phase::resolve, *start.resolve_time);
    }
    return check;
}

}  // namespace

ProbeResult not_begun(const RunContext& context, Failure failure, std::string detail) {
    ProbeResult result;
    result.failure = failure;
    result.detail = std::move(detail);
    result.duration = context.now() - context.deadline.started();
    return result;
}

asio::awaitable<ProbeResult> run_check(Env env, Deadline deadline, CheckStart start) {
    // Cancellation is asked for where something is measured, not thrown from any co_await.
    co_await asio::this_coro::throw_if_cancelled(false);
    const RunContext context{env, deadline, co_await asio::this_coro::cancellation_state};
    const Spec& spec = start.spec;
    Check check = begin(context, start);
    RequestForm form = first_request(spec.request, spec.pool.has_value());
    form.token = start.token;
    std::optional<Hop> hop;
    const Url* url = &start.target;
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
        auto next_request = next_form(check, std::move(form), *url, *next);
        if (!next_request) {
            break;
        }
        form = *std::move(next_request);
        redirected = std::move(*next);
        url = &redirected;
    }
    if (Trace* const watcher = check.trace();
        watcher != nullptr && check.failure != Failure::none && !watcher->hops.empty()) {
        watcher->failed_hop = watcher->hops.size() - 1;
    }
    if (spec.oauth && form.to_own_host && check.last_hop.response &&
        check.last_hop.response->status == 401) {
        spec.oauth->forget(start.token);
    }
    Receiver* const final = hop ? &hop->receiver() : nullptr;
    ProbeResult result;
    judge_expectations(check, *url, final, result);
    if (final != nullptr && check.answered && spec.content.needs_anything()) {
        co_await judge_whole_body(check, *final, result);
    }
    finish(check, result);
    co_return result;
}

}  // namespace sonde::probes::http

// The routes. Each is a small function from request to answer; the table says which methods it
// takes.
#include "exporter/web/endpoints.hpp"

#include "exporter/engine/run_on.hpp"
#include "exporter/metrics/exposition.hpp"
#include "exporter/server/compression.hpp"
#include "exporter/web/policy.hpp"
#include "exporter/web/target_list.hpp"
#include "exporter/web/ui/assets.hpp"
#include "probes/net/clock.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

namespace {

using Seconds = std::chrono::duration<double>;

/// Tells how long it took until the last piece was drawn.
class ObservedSource final : public BodySource {
public:
    ObservedSource(std::unique_ptr<BodySource> inner, std::function<void(double)> observe)
        : inner_(std::move(inner)),
          observe_(std::move(observe)),
          start_(now()) {}

    bool next(std::string& out) override {
        const bool more = inner_->next(out);
        if (!more) {
            observe_(Seconds(now() - start_).count());
        }
        return more;
    }

private:
    static probes::net::TimePoint now() { return probes::net::Clock::system().now(); }

    std::unique_ptr<BodySource> inner_;
    std::function<void(double)> observe_;
    probes::net::TimePoint start_;
};

/// What stands between the first <tag> and its </tag>.
std::string_view element(std::string_view page, std::string_view tag) {
    const auto opening = "<" + std::string(tag) + ">";
    const auto begin = page.find(opening);
    const auto end = page.find("</" + std::string(tag) + ">");
    if (begin == std::string_view::npos || end == std::string_view::npos) {
        throw std::logic_error("the landing page has no element " + std::string(tag));
    }
    return page.substr(begin + opening.size(), end - begin - opening.size());
}

/// Only the page's own style and script may run, so that nothing that a name or a detail smuggles
/// in can.
std::string landing_policy() {
    const auto hash = [](std::string_view tag) {
        return inline_source(element(ui::landing_page, tag));
    };
    return "default-src 'none'; connect-src 'self'; img-src 'self'; style-src " + hash("style") +
           "; script-src " + hash("script") +
           "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

struct Site {
    EndpointDependencies with;
    std::string landing_policy;
};

using Shared = std::shared_ptr<const Site>;
using Route = asio::awaitable<HttpResponse> (*)(Shared, const HttpRequest&);

HttpResponse text(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

asio::awaitable<HttpResponse> landing(Shared site, const HttpRequest& request) {
    HttpResponse response;
    response.content_type = "text/html; charset=utf-8";
    response.headers.emplace_back("Content-Security-Policy", site->landing_policy);
    response.body = std::string(ui::landing_page);
    compress_response(response, request.header("accept-encoding"));
    co_return response;
}

asio::awaitable<HttpResponse> icon(Shared, const HttpRequest&) {
    HttpResponse response;
    response.content_type = "image/svg+xml";
    response.headers.emplace_back("Cache-Control", "max-age=86400");
    response.body = std::string(ui::icon);
    co_return response;
}

/// Which part of all metrics a scrape asks for; other parameters mean nothing here. (`name[]` is
/// what other exporters call `collect[]`.)
bool read_selection(const HttpRequest& request,
                    MetricStore::Selection& selection,
                    std::string& error) {
    return std::ranges::all_of(request.query, [&](const auto& parameter) {
        const auto& [key, value] = parameter;
        if (key == "collect[]" || key == "name[]") {
            selection.families.push_back(value);
        } else if (key == "shard") {
            return selection.targets.add_shard(value, error);
        } else if (key == "match[]") {
            return selection.targets.add_selector(value, error);
        }
        return true;
    });
}

asio::awaitable<HttpResponse> metrics(Shared site, const HttpRequest& request) {
    const auto format = negotiate_exposition(request.header("accept"));
    MetricStore::Selection selection;
    std::string error;
    if (!read_selection(request, selection, error)) {
        co_return text(400, error + "\n");
    }
    HttpResponse response;
    response.content_type = content_type(format);
    response.headers.emplace_back("Vary", "Accept");
    response.source =
        make_exposition(format, site->with.store, site->with.self, std::move(selection));
    if (request.method == "GET") {
        response.source =
            std::make_unique<ObservedSource>(std::move(response.source), site->with.observe_scrape);
    }
    compress_response(response, request.header("accept-encoding"));
    co_return response;
}

std::string list_targets(const Site& site, const TargetQuery& query) {
    TargetList list(query);
    site.with.store.for_each([&list](const MetricStore::State& target) {
        list.add(target);
        return true;
    });
    const auto now = probes::net::Clock::system().unix_now().time_since_epoch();
    return std::move(list).to_json(site.with.version, Seconds(now).count());
}

asio::awaitable<HttpResponse> targets(Shared site, const HttpRequest& request) {
    std::string error;
    const auto query = parse_target_query(request, error);
    if (!query) {
        co_return text(400, error + "\n");
    }
    HttpResponse response;
    response.content_type = "application/json";
    auto list = run_on(site->with.background,
                       [site, wanted = *query] { return list_targets(*site, wanted); });
    response.body = co_await std::move(list);
    compress_response(response, request.header("accept-encoding"));
    co_return response;
}

asio::awaitable<HttpResponse> healthy(Shared, const HttpRequest&) {
    co_return text(200, "Healthy\n");
}

asio::awaitable<HttpResponse> ready(Shared site, const HttpRequest&) {
    co_return site->with.ready() ? text(200, "Ready\n") : text(503, "Not ready\n");
}

asio::awaitable<HttpResponse> reload(Shared site, const HttpRequest&) {
    const auto errors = co_await site->with.reload();
    if (errors) {
        co_return text(500, *errors + (errors->ends_with('\n') ? "" : "\n"));
    }
    co_return text(200, "Reloaded\n");
}

asio::awaitable<HttpResponse> debug_probe(Shared site, const HttpRequest& request) {
    HttpResponse response = co_await site->with.debug_probe(request);
    compress_response(response, request.header("accept-encoding"));
    co_return response;
}

struct Entry {
    std::string_view path;
    std::string_view methods;  // as the Allow field has them
    Route route;
};

constexpr std::array<Entry, 8> routes = {{
    {"/", "GET, HEAD", landing},
    {"/metrics", "GET, HEAD", metrics},
    {"/api/targets", "GET, HEAD", targets},
    // What HEAD would have to tell takes a check, and who sends it wants none.
    {"/debug/probe", "GET", debug_probe},
    {"/-/healthy", "GET, HEAD", healthy},
    {"/-/ready", "GET, HEAD", ready},
    {"/-/reload", "POST", reload},
    {"/favicon.ico", "GET, HEAD", icon},
}};

bool takes(const Entry& entry, std::string_view method) {
    return method == entry.methods ||
           (entry.methods == "GET, HEAD" && (method == "GET" || method == "HEAD"));
}

HttpResponse not_found() {
    return text(
        404,
        "404 Not Found. What there is:\n"
        "  /             the targets and how they are\n"
        "  /metrics      for Prometheus (shard=3/8, match[]={label=\"value\"}, collect[]=family)\n"
        "  /api/targets  the targets as JSON (q, state, reason, sort, order, limit, offset)\n"
        "  /debug/probe  checks one target now and shows each step (target=NAME, format=json)\n"
        "  /-/healthy    200 while Sonde runs\n"
        "  /-/ready      200 once it checks its targets\n"
        "  /-/reload     POST reads the configuration again\n");
}

asio::awaitable<HttpResponse> answer(Shared site, const HttpRequest& request) {
    HttpResponse response;
    const auto* const found = std::ranges::find(routes, request.path, &Entry::path);
    if (found == routes.end()) {
        response = not_found();
    } else if (takes(*found, request.method)) {
        response = co_await found->route(site, request);
    } else {
        const std::string allowed{found->methods};
        response = text(405, "405 Method Not Allowed. Use " + allowed + ".\n");
        response.headers.emplace_back("Allow", allowed);
    }
    const auto lacks = [&response](std::string_view name) {
        return std::ranges::none_of(response.headers,
                                    [name](const auto& field) { return field.first == name; });
    };
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    if (lacks("Content-Security-Policy")) {
        response.headers.emplace_back("Content-Security-Policy",
                                      "default-src 'none'; frame-ancestors 'none'");
    }
    if (lacks("Cache-Control")) {
        response.headers.emplace_back("Cache-Control", "no-cache");
    }
    co_return response;
}

}  // namespace

HttpHandler make_endpoints(EndpointDependencies dependencies) {
    const auto site = std::make_shared<const Site>(Site{std::move(dependencies), landing_policy()});
    return [site](const HttpRequest& request) {
        return answer(site, request);
    };
}

}  // namespace sonde::exporter

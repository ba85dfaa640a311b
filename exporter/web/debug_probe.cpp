#include "exporter/web/debug_probe.hpp"

#include "exporter/engine/run_on.hpp"
#include "exporter/engine/single_check.hpp"
#include "exporter/probe_report.hpp"
#include "exporter/web/hide_private.hpp"
#include "exporter/web/probe_page.hpp"

#include <optional>
#include <string>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

namespace {

/// What a check came to, as text; made on the check's thread, as a page may hold much.
struct Told {
    bool found = false;
    bool cancelled = false;
    std::string body;
};

JobPtr job_named(const Plan& plan, std::string_view name) {
    JobPtr found;
    plan.for_each([&](const JobPtr& job) {
        if (job->target.name == name) {
            found = job;
        }
    });
    return found;
}

/// Everything that a check needs, so that it can outlive the request.
struct Question {
    std::shared_ptr<const Plan> plan;
    std::string target;
    bool as_json = false;
    config::Engine settings;
    std::stop_token stop;

    Told operator()() const {
        const JobPtr job = job_named(*plan, target);
        if (!job) {
            return {};
        }
        SingleCheck check = run_single_check(*job, settings, stop);
        hide_private(check.trace, *job);
        const ProbeReport report{
            shown_url(*job), std::string{job->kind}, check.outcome, check.trace};
        return {.found = true,
                .cancelled = check.outcome.cancelled,
                .body = as_json ? report_json(report) : probe_page(report, target)};
    }
};

/// Counts a check as long as its answer is not there.
class Place {
public:
    explicit Place(std::size_t& taken) : taken_(taken) { ++taken_; }

    ~Place() { --taken_; }

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

private:
    std::size_t& taken_;
};

HttpResponse text(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

/// What is wrong with the request; nothing when it may be answered.
std::optional<HttpResponse> refusal(const HttpRequest& request, std::size_t under_way) {
    if (request.parameter("target").value_or("").empty()) {
        return text(400, "Say which target: /debug/probe?target=NAME\n");
    }
    const std::string_view format = request.parameter("format").value_or("html");
    if (format != "html" && format != "json") {
        return text(400, "format must be html or json\n");
    }
    if (under_way >= DebugProbe::at_once) {
        HttpResponse response =
            text(429, std::to_string(under_way) + " checks are under way already\n");
        response.headers.emplace_back("Retry-After", "5");
        return response;
    }
    return std::nullopt;
}

}  // namespace

DebugProbe::DebugProbe(std::function<std::shared_ptr<const Plan>()> plan, config::Engine settings)
    : plan_(std::move(plan)),
      settings_(std::move(settings)) {}

DebugProbe::~DebugProbe() {
    stop();
    threads_.join();
}

asio::awaitable<HttpResponse> DebugProbe::answer(const HttpRequest& request) {
    if (auto refused = refusal(request, under_way_)) {
        co_return std::move(*refused);
    }
    const Place place{under_way_};
    Question question{.plan = plan_(),
                      .target = std::string{*request.parameter("target")},
                      .as_json = request.parameter("format") == "json",
                      .settings = settings_,
                      .stop = stop_.get_token()};
    auto work = run_on(threads_.get_executor(), std::move(question));
    Told told = co_await std::move(work);
    if (!told.found) {
        co_return text(404, "No target has this name. /api/targets?q=WORD finds names.\n");
    }
    if (told.cancelled) {
        co_return text(503, "Sonde is shutting down\n");
    }
    HttpResponse response;
    const bool as_json = request.parameter("format") == "json";
    response.content_type = as_json ? "application/json" : "text/html; charset=utf-8";
    if (!as_json) {
        response.headers.emplace_back("Content-Security-Policy", probe_page_policy());
    }
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = std::move(told.body);
    co_return response;
}

}  // namespace sonde::exporter

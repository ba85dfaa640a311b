#include "exporter/app.hpp"

#include "exporter/engine/engine.hpp"
#include "exporter/engine/run_on.hpp"
#include "exporter/engine/task_group.hpp"
#include "exporter/log.hpp"
#include "exporter/metrics/self_metrics.hpp"
#include "exporter/plan/config_watch.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/plan/reloads.hpp"
#include "exporter/server/server.hpp"
#include "exporter/web/debug_probe.hpp"
#include "exporter/web/endpoints.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stop_token>
#include <system_error>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds watch_debounce{200};
constexpr std::chrono::seconds refresh_every{1};

/// Every check under way needs a descriptor, a quarter as many connections may be kept between
/// checks (see Worker), and the usual soft limit of 1,024 is soon used up. Where the hard limit is
/// lower than what the caps allow, checks wait instead of failing.
config::Engine fit_descriptors(config::Engine engine) {
    constexpr rlim_t others = 640;  // scrapes, files, name servers, epoll sets
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return engine;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t room = limit.rlim_max > 2 * others ? limit.rlim_max - others : limit.rlim_max / 2;
    const auto most = static_cast<std::int64_t>(std::min<rlim_t>(room / 5 * 4, 1'000'000));
    if (engine.max_in_flight > most) {
        log::warn("max_in_flight is cut to what the limit of open files leaves",
                  {{"max_in_flight", std::to_string(most)},
                   {"open_files", std::to_string(limit.rlim_max)}});
        engine.max_in_flight = most;
    }
    return engine;
}

void configure_log(const CommandLine& command, const config::Log& settings) {
    const std::string format = command.log_format.value_or(settings.format);
    log::configure(command.log_level.value_or(settings.level),
                   format == "json" ? log::Format::json : log::Format::logfmt);
}

/// What a reload cannot change, in words; empty when nothing of it has changed.
std::string needs_restart(const config::Service& running, const config::Service& wanted) {
    std::string out;
    const auto note = [&](bool differs, std::string_view table) {
        if (differs) {
            out += (out.empty() ? "" : ", ") + std::string{table};
        }
    };
    config::Engine engine = wanted.engine;
    engine.targets_dir = running.engine.targets_dir;  // read anew with each plan
    note(running.server != wanted.server, "[server]");
    note(running.engine != engine, "[engine]");
    return out;
}

class App {
public:
    App(const CommandLine& command, LoadResult loaded)
        : command_(command),
          plan_(std::move(loaded.plan)),
          started_with_(plan_->service()),
          store_(started_with_.metrics.rtt_buckets, started_with_.metrics.extra),
          engine_settings_(fit_descriptors(started_with_.engine)),
          debug_probe_([this] { return plan_; }, engine_settings_),
          self_(SONDE_VERSION, Engine::worker_count(engine_settings_)),
          server_(control_, make_endpoints(dependencies()), {}),
          tasks_(control_.get_executor(), &App::on_task_error),
          reloads_(control_.get_executor(),
                   tasks_,
                   [this](std::string why) { return reload_now(std::move(why)); }),
          signals_(control_, SIGTERM, SIGINT, SIGHUP),
          watch_paths_(std::move(loaded.watch)) {}

    int run() {
        listen();
        engine_.emplace(control_, engine_settings_, store_, self_);
        start_watch();
        tasks_.spawn(start_up());
        tasks_.spawn(handle_signals());
        tasks_.spawn(refresh_self_metrics());
        control_.run();
        background_.join();
        return 0;
    }

private:
    static void on_task_error(std::exception_ptr error) {
        try {
            std::rethrow_exception(std::move(error));
        } catch (const std::exception& bug) {
            log::error("a task ended in a way it must not", {{"error", bug.what()}});
        }
    }

    EndpointDependencies dependencies() {
        return {.store = store_,
                .self = {self_.collectable(), std::make_shared<ProcessCollector>()},
                .background = background_.get_executor(),
                .ready = [this] { return ready_; },
                .reload = [this] { return reloads_.request("POST /-/reload"); },
                .debug_probe =
                    [this](const HttpRequest& request) { return debug_probe_.answer(request); },
                .observe_scrape =
                    [this](double seconds) {
                        self_.scrape_finished(std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::duration<double>(seconds)));
                    },
                .version = SONDE_VERSION};
    }

    void listen() {
        const auto& addresses =
            command_.listen.empty() ? started_with_.server.listen : command_.listen;
        for (const std::string& address : addresses) {
            log::info("listening", {{"address", server_.listen(address)}});
        }
    }

    void start_watch() {
        try {
            watch_.emplace(control_.get_executor(), watch_debounce, [this] {
                tasks_.spawn(reload_for("a file has changed"));
            });
        } catch (const std::system_error& error) {
            log::warn("changed files will not be noticed; SIGHUP and POST /-/reload still work",
                      {{"error", error.what()}});
            return;
        }
        watch(std::move(watch_paths_));
    }

    void watch(std::vector<std::string> paths) {
        if (!watch_) {
            return;
        }
        for (const std::string& problem : watch_->watch(std::move(paths))) {
            log::warn("a change of this path will not be noticed", {{"problem", problem}});
        }
    }

    asio::awaitable<void> start_up() {
        const PlanDiff everything = diff(nullptr, *plan_);
        co_await engine_->apply(everything, *plan_);
        if (stopping_) {
            co_return;
        }
        self_.config_loaded(probes::net::Clock::system().unix_now());
        ready_ = true;
        log::info("ready",
                  {{"targets", std::to_string(plan_->size())}, {"version", SONDE_VERSION}});
        reloads_.open();
    }

    asio::awaitable<void> reload_for(std::string why) {
        const auto errors = co_await reloads_.request(std::move(why));
        static_cast<void>(errors);  // logged where they arose
    }

    asio::awaitable<std::optional<std::string>> reload_now(std::string why) {
        auto loading =
            run_on(background_.get_executor(),
                   [file = command_.config_file, old = plan_, stop = stop_loading_.get_token()] {
                       return load_plan(file, probes::kinds(), old, stop);
                   });
        LoadResult loaded = co_await std::move(loading);
        if (stopping_) {
            co_return Reloads::shutting_down;
        }
        watch(std::move(loaded.watch));
        if (!loaded.plan) {
            self_.config_rejected();
            const std::string errors = loaded.diagnostics.text();
            log::error("the new configuration is not used, the running one stays", {{"why", why}});
            for (const config::Diagnostic& diagnostic : loaded.diagnostics.all()) {
                log::error(diagnostic.message,
                           {{"file", diagnostic.file},
                            {"line", diagnostic.line == 0 ? "" : std::to_string(diagnostic.line)},
                            {"key", diagnostic.key}});
            }
            co_return errors;
        }
        const PlanDiff changes = diff(plan_.get(), *loaded.plan);
        const config::Metrics& metrics = loaded.plan->service().metrics;
        if (metrics != plan_->service().metrics) {
            store_.configure(metrics.rtt_buckets, metrics.extra);
        }
        co_await engine_->apply(changes, *loaded.plan);
        plan_ = std::move(loaded.plan);
        configure_log(command_, plan_->service().log);
        self_.config_loaded(probes::net::Clock::system().unix_now());
        log::info("configuration loaded",
                  {{"why", why},
                   {"targets", std::to_string(plan_->size())},
                   {"added", std::to_string(changes.added.size())},
                   {"changed", std::to_string(changes.changed.size())},
                   {"removed", std::to_string(changes.removed.size())}});
        if (plan_->size() == 0 && !changes.removed.empty()) {
            log::warn("the configuration has no target any more");
        }
        if (const std::string tables = needs_restart(started_with_, plan_->service());
            !tables.empty()) {
            log::warn("changes here take effect at the next start", {{"tables", tables}});
        }
        co_return std::nullopt;
    }

    asio::awaitable<void> handle_signals() {
        for (;;) {
            const auto [error, signal] = co_await signals_.async_wait(tuple);
            if (error) {
                co_return;
            }
            if (signal != SIGHUP) {
                break;
            }
            tasks_.spawn(reload_for("SIGHUP"));
        }
        // A second signal ends the process at once.
        signals_.clear();
        co_await shut_down();
    }

    asio::awaitable<void> shut_down() {
        const auto& clock = probes::net::Clock::system();
        const auto end = clock.now() + started_with_.engine.shutdown_grace;
        log::info("shutting down");
        stopping_ = true;
        ready_ = false;
        watch_.reset();
        stop_loading_.request_stop();
        debug_probe_.stop();
        co_await reloads_.close();
        co_await engine_->shut_down(end - clock.now());
        // Those who wait for an answer get it, though the checks took all of the grace.
        constexpr std::chrono::nanoseconds least = std::chrono::milliseconds{500};
        co_await server_.shut_down(std::max<std::chrono::nanoseconds>(end - clock.now(), least));
        tasks_.cancel();
    }

    asio::awaitable<void> refresh_self_metrics() {
        asio::steady_timer timer{control_};
        for (;;) {
            engine_->refresh_self_metrics();
            timer.expires_after(refresh_every);
            const auto [cancelled] = co_await timer.async_wait(tuple);
            if (cancelled) {
                co_return;
            }
        }
    }

    const CommandLine& command_;
    std::shared_ptr<const Plan> plan_;
    const config::Service started_with_;
    asio::io_context control_{1};
    asio::thread_pool background_{2};  // plans and walks over all targets
    MetricStore store_;
    const config::Engine engine_settings_;
    DebugProbe debug_probe_;
    SelfMetrics self_;
    bool ready_ = false;
    bool stopping_ = false;
    std::stop_source stop_loading_;
    HttpServer server_;
    TaskGroup tasks_;
    Reloads reloads_;
    asio::signal_set signals_;
    std::optional<Engine> engine_;
    std::optional<ConfigWatch> watch_;
    std::vector<std::string> watch_paths_;
};

}  // namespace

int serve(const CommandLine& command) {
    LoadResult loaded = load_plan(command.config_file, probes::kinds());
    if (!loaded.plan) {
        fmt::print(stderr, "{}", loaded.diagnostics.text());
        return 1;
    }
    configure_log(command, loaded.plan->service().log);
    int exit_code = 1;
    try {
        exit_code = App{command, std::move(loaded)}.run();
    } catch (const std::system_error& error) {
        log::error("cannot start", {{"error", error.what()}});
    }
    log::flush();
    return exit_code;
}

int check_config(const CommandLine& command) {
    const LoadResult loaded = load_plan(command.config_file, probes::kinds());
    if (!loaded.plan) {
        fmt::print(stderr, "{}", loaded.diagnostics.text());
        return 1;
    }
    fmt::print("{}: good, {} targets\n", command.config_file, loaded.plan->size());
    return 0;
}

}  // namespace sonde::exporter

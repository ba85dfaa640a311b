#include "exporter/engine/engine.hpp"

#include "exporter/engine/stable_hash.hpp"
#include "exporter/engine/worker.hpp"
#include "exporter/metrics/self_metrics.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

namespace sonde::exporter {

namespace asio = boost::asio;
using probes::net::Clock;

namespace {

struct Placement {
    MetricStore::Id id;
    std::uint32_t worker;
};

/// Where a job belongs, and how many checks of its host may be under way there.
struct Place {
    std::uint32_t worker;
    std::size_t host_cap;
};

/// The share that part `index` has of a cap divided over `parts`; all shares together are the cap.
std::size_t share(std::int64_t cap, std::size_t parts, std::size_t index) {
    const auto whole = static_cast<std::size_t>(cap);
    return whole / parts + (index < whole % parts ? 1 : 0);
}

}  // namespace

struct Engine::Impl {
    using Changes = std::vector<std::vector<Worker::Change>>;

    asio::io_context& control;
    config::Engine settings;
    MetricStore& store;
    SelfMetrics& self;
    std::vector<std::unique_ptr<Worker>> workers;
    boost::unordered_flat_map<const Job*, Placement> placements;
    /// Hosts (by hash of their key) with more targets than a worker's fair share: split over as
    /// many workers as their cap allows, with the cap divided. A host that was split once stays so.
    boost::unordered_flat_set<std::uint64_t> split_hosts;
    std::vector<std::chrono::nanoseconds> cpu_before;
    probes::net::TimePoint refreshed = Clock::system().now();
    std::uint64_t resends_before = 0;

    bool find_split_hosts(const Plan& plan);
    [[nodiscard]] Place place_of(const Job& job) const;
    Changes changes_of(const PlanDiff& diff, const Plan& plan);
    void settle(const JobPtr& before, const JobPtr& after, Changes& changes);

    /// Calls `start` for every worker with what it must call when it is done; completes on the
    /// control thread when all have.
    template <typename Start>
    asio::awaitable<void> on_all_workers(Start start);
};

/// Whether a host has been split that was not before.
bool Engine::Impl::find_split_hosts(const Plan& plan) {
    if (workers.size() == 1) {
        return false;
    }
    boost::unordered_flat_map<std::uint64_t, std::size_t> targets;
    plan.for_each([&](const JobPtr& job) { ++targets[stable_hash(host_key(*job))]; });
    const std::size_t fair_share = (plan.size() + workers.size() - 1) / workers.size();
    const std::size_t before = split_hosts.size();
    for (const auto& [host, count] : targets) {
        if (count > fair_share) {
            split_hosts.insert(host);
        }
    }
    return split_hosts.size() != before;
}

Place Engine::Impl::place_of(const Job& job) const {
    const std::uint64_t host = stable_hash(host_key(job));
    const auto cap = settings.max_in_flight_per_host;
    std::size_t parts = 1;
    if (split_hosts.contains(host)) {
        parts = std::min(workers.size(), static_cast<std::size_t>(cap));
    }
    const std::size_t part = parts == 1 ? 0 : stable_hash(job.target.name) % parts;
    return {static_cast<std::uint32_t>((host + part) % workers.size()), share(cap, parts, part)};
}

/// Brings a target that stays to the worker where it belongs now.
void Engine::Impl::settle(const JobPtr& before, const JobPtr& after, Changes& changes) {
    using What = Worker::Change::What;
    const auto found = placements.find(before.get());
    const Placement old = found->second;
    const Place place = place_of(*after);
    placements.erase(found);
    placements.emplace(after.get(), Placement{old.id, place.worker});
    if (place.worker == old.worker) {
        changes[old.worker].push_back({What::replace, old.id, after, place.host_cap});
        return;
    }
    changes[old.worker].push_back({What::leave, old.id, nullptr, 1});
    changes[place.worker].push_back({What::add, old.id, after, place.host_cap});
}

Engine::Impl::Changes Engine::Impl::changes_of(const PlanDiff& diff, const Plan& plan) {
    using What = Worker::Change::What;
    Changes changes(workers.size());
    for (const JobPtr& job : diff.removed) {
        const auto found = placements.find(job.get());
        changes[found->second.worker].push_back({What::remove, found->second.id, nullptr, 1});
        placements.erase(found);
    }
    if (find_split_hosts(plan)) {
        plan.for_each([&](const JobPtr& job) {
            if (placements.contains(job.get()) &&
                split_hosts.contains(stable_hash(host_key(*job)))) {
                settle(job, job, changes);
            }
        });
    }
    for (const auto& [before, after] : diff.changed) {
        settle(before, after, changes);
        store.update(placements.at(after.get()).id, *after);
    }
    for (const JobPtr& job : diff.added) {
        const Place place = place_of(*job);
        const Placement placement{store.add(*job), place.worker};
        placements.emplace(job.get(), placement);
        changes[placement.worker].push_back({What::add, placement.id, job, place.host_cap});
    }
    return changes;
}

template <typename Start>
asio::awaitable<void> Engine::Impl::on_all_workers(Start start) {
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [](auto handler, Impl* impl, Start begin) {
            using Handler = decltype(handler);
            struct Join {
                Handler on_last;
                std::size_t left;
                asio::executor_work_guard<asio::io_context::executor_type> work;
            };
            const std::size_t count = impl->workers.size();
            auto join = std::make_shared<Join>(
                std::move(handler), count, asio::make_work_guard(impl->control));
            for (std::size_t i = 0; i < count; ++i) {
                begin(i, [impl, join] {
                    asio::post(impl->control, [join] {
                        if (--join->left == 0) {
                            std::move(join->on_last)();
                        }
                    });
                });
            }
        },
        asio::use_awaitable,
        this,
        std::move(start));
}

Engine::Engine(asio::io_context& control,
               const config::Engine& settings,
               MetricStore& store,
               SelfMetrics& self)
    : impl_(std::make_unique<Impl>(control, settings, store, self)) {
    const std::size_t count = worker_count(settings);
    const Clock& clock = Clock::system();
    const TimeAnchor anchor{clock.now(), clock.unix_now()};
    for (std::size_t number = 0; number < count; ++number) {
        impl_->workers.push_back(
            std::make_unique<Worker>(Worker::Options{number,
                                                     share(settings.max_in_flight, count, number),
                                                     anchor,
                                                     {.servers = settings.dns_servers}},
                                     store,
                                     self));
    }
    impl_->cpu_before.resize(count);
}

Engine::~Engine() = default;

std::size_t Engine::worker_count(const config::Engine& settings) {
    const std::size_t wanted = settings.workers > 0
                                   ? static_cast<std::size_t>(settings.workers)
                                   : std::max(1U, std::thread::hardware_concurrency());
    // Each must be allowed a check.
    return std::min(wanted, static_cast<std::size_t>(settings.max_in_flight));
}

asio::awaitable<void> Engine::apply(const PlanDiff& diff, const Plan& plan) {
    auto changes = std::make_shared<Impl::Changes>(impl_->changes_of(diff, plan));
    co_await impl_->on_all_workers([impl = impl_.get(), changes](std::size_t i, auto done) {
        impl->workers[i]->apply(std::move((*changes)[i]), std::move(done));
    });
    std::map<std::string_view, std::size_t> by_kind;
    plan.for_each([&](const JobPtr& job) { ++by_kind[job->kind]; });
    impl_->self.set_targets(by_kind);
}

asio::awaitable<void> Engine::shut_down(std::chrono::nanoseconds grace) {
    co_await impl_->on_all_workers([impl = impl_.get(), grace](std::size_t i, auto done) {
        impl->workers[i]->shut_down(grace, std::move(done));
    });
}

void Engine::refresh_self_metrics() {
    const probes::net::TimePoint now = Clock::system().now();
    const std::chrono::duration<double> wall = now - std::exchange(impl_->refreshed, now);
    std::uint64_t resends = 0;
    for (std::size_t i = 0; i < impl_->workers.size(); ++i) {
        const auto used = impl_->workers[i]->cpu_time();
        const std::chrono::duration<double> busy = used - std::exchange(impl_->cpu_before[i], used);
        impl_->self.set_worker_busy(i, std::clamp(busy / wall, 0.0, 1.0));
        resends += impl_->workers[i]->resolver_resends();
    }
    impl_->self.add_resolver_resends(resends - std::exchange(impl_->resends_before, resends));
}

}  // namespace sonde::exporter

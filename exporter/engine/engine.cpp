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

std::size_t divided(std::int64_t cap, std::size_t parts) {
    const auto whole = static_cast<std::size_t>(cap);
    return std::max<std::size_t>(1, (whole + parts - 1) / parts);
}

}  // namespace

struct Engine::Impl {
    asio::io_context& control;
    config::Engine settings;
    MetricStore& store;
    SelfMetrics& self;
    std::vector<std::unique_ptr<Worker>> workers;
    boost::unordered_flat_map<const Job*, Placement> placements;
    /// Hosts (by hash of their key) with more targets than a worker's fair share: split over all
    /// workers, with the cap divided. A host that was split once stays so.
    boost::unordered_flat_set<std::uint64_t> split_hosts;
    std::vector<std::chrono::nanoseconds> cpu_before;
    probes::net::TimePoint refreshed = Clock::system().now();
    std::uint64_t resends_before = 0;

    void find_split_hosts(const Plan& plan);
    std::uint32_t worker_for(const Job& job, std::uint64_t host) const;
    std::size_t host_cap(std::uint64_t host) const;
    std::vector<std::vector<Worker::Change>> changes_of(const PlanDiff& diff);

    /// Calls `start` for every worker with what it must call when it is done; completes on the
    /// control thread when all have.
    template <typename Start>
    asio::awaitable<void> on_all_workers(Start start);
};

void Engine::Impl::find_split_hosts(const Plan& plan) {
    if (workers.size() == 1) {
        return;
    }
    boost::unordered_flat_map<std::uint64_t, std::size_t> targets;
    plan.for_each([&](const JobPtr& job) { ++targets[stable_hash(host_key(*job))]; });
    const std::size_t fair_share = plan.size() / workers.size();
    for (const auto& [host, count] : targets) {
        if (count > fair_share) {
            split_hosts.insert(host);
        }
    }
}

std::uint32_t Engine::Impl::worker_for(const Job& job, std::uint64_t host) const {
    const std::uint64_t hash = split_hosts.contains(host) ? stable_hash(job.target.name) : host;
    return static_cast<std::uint32_t>(hash % workers.size());
}

std::size_t Engine::Impl::host_cap(std::uint64_t host) const {
    return divided(settings.max_in_flight_per_host,
                   split_hosts.contains(host) ? workers.size() : 1);
}

std::vector<std::vector<Worker::Change>> Engine::Impl::changes_of(const PlanDiff& diff) {
    using What = Worker::Change::What;
    std::vector<std::vector<Worker::Change>> changes(workers.size());
    for (const JobPtr& job : diff.removed) {
        const auto found = placements.find(job.get());
        changes[found->second.worker].push_back({What::remove, found->second.id, nullptr, 1});
        placements.erase(found);
    }
    for (const auto& [before, after] : diff.changed) {
        const auto found = placements.find(before.get());
        const Placement placement = found->second;
        placements.erase(found);
        placements.emplace(after.get(), placement);
        store.update(placement.id, *after);
        const std::uint64_t host = stable_hash(host_key(*after));
        changes[placement.worker].push_back({What::replace, placement.id, after, host_cap(host)});
    }
    for (const JobPtr& job : diff.added) {
        const std::uint64_t host = stable_hash(host_key(*job));
        const Placement placement{store.add(*job), worker_for(*job, host)};
        placements.emplace(job.get(), placement);
        changes[placement.worker].push_back({What::add, placement.id, job, host_cap(host)});
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
        impl_->workers.push_back(std::make_unique<Worker>(
            Worker::Options{number, divided(settings.max_in_flight, count), anchor, {}},
            store,
            self));
    }
    impl_->cpu_before.resize(count);
}

Engine::~Engine() = default;

std::size_t Engine::worker_count(const config::Engine& settings) {
    return settings.workers > 0 ? static_cast<std::size_t>(settings.workers)
                                : std::max(1U, std::thread::hardware_concurrency());
}

asio::awaitable<void> Engine::apply(const PlanDiff& diff, const Plan& plan) {
    impl_->find_split_hosts(plan);
    auto changes =
        std::make_shared<std::vector<std::vector<Worker::Change>>>(impl_->changes_of(diff));
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

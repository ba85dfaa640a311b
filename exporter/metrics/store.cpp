#include "exporter/metrics/store.hpp"

#include "exporter/metrics/label_text.hpp"
#include "exporter/metrics/store_impl.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

namespace sonde::exporter {

namespace {

std::size_t slot_of(MetricStore::Id id) {
    return id % page_targets;
}

void check_buckets(const std::vector<double>& bounds) {
    const auto not_ascending = [](double left, double right) {
        return !(left < right);
    };
    if (!std::ranges::all_of(bounds, [](double bound) { return std::isfinite(bound); }) ||
        std::ranges::adjacent_find(bounds, not_ascending) != bounds.end()) {
        throw std::invalid_argument("RTT buckets must be finite and ascending");
    }
}

void render_fixed_labels(StoreSettings& settings) {
    for (const double bound : settings.bounds) {
        append_label(settings.bucket_labels.emplace_back(), "le", canonical_number(bound));
    }
    append_label(settings.bucket_labels.emplace_back(), "le", "+Inf");
    for (const probes::FamilyInfo& family : probes::families()) {
        for (const probes::MeasurementInfo& measurement : probes::measurements_of(family.family)) {
            if (!family.labels.empty()) {
                append_label(settings.measurement_labels[index_of(measurement.measurement)],
                             family.labels.front(),
                             measurement.label_value);
            }
        }
    }
    for (std::size_t i = 0; i < count_of<probes::Failure>; ++i) {
        append_label(settings.failure_labels[i], "reason", name(static_cast<probes::Failure>(i)));
    }
    for (std::size_t i = 0; i < count_of<SkipReason>; ++i) {
        append_label(settings.skip_labels[i], "reason", name(static_cast<SkipReason>(i)));
    }
}

std::unique_ptr<const StoreSettings> make_settings(std::vector<double> rtt_buckets,
                                                   const std::vector<std::string>& extra) {
    check_buckets(rtt_buckets);
    for (const std::string& name : extra) {
        if (std::ranges::find(probes::families(), name, &probes::FamilyInfo::name) ==
            probes::families().end()) {
            throw std::invalid_argument("no metric is named " + name);
        }
    }
    auto settings = std::make_unique<StoreSettings>();
    settings->bounds = std::move(rtt_buckets);
    for (const probes::FamilyInfo& family : probes::families()) {
        if (family.extra && std::ranges::find(extra, family.name) == extra.end()) {
            continue;
        }
        settings->exposed.set(index_of(family.family));
        for (const probes::MeasurementInfo& measurement : probes::measurements_of(family.family)) {
            settings->kept |= std::uint64_t{1} << index_of(measurement.measurement);
        }
    }
    render_fixed_labels(*settings);
    return settings;
}

}  // namespace

std::string_view name(SkipReason reason) {
    switch (reason) {
        case SkipReason::overrun:
            return "overrun";
        case SkipReason::overload:
            return "overload";
        case SkipReason::count:
            break;
    }
    throw std::invalid_argument("no such SkipReason");
}

std::size_t MetricStore::Impl::add_page() {
    const std::size_t index = owned_pages.size();
    const std::size_t chunk = index / pages_in_chunk;
    if (chunk == chunks.size()) {
        throw std::length_error("too many targets for the metric store");
    }
    if (chunk == owned_chunks.size()) {
        owned_chunks.push_back(std::make_unique<Chunk>());
        chunks[chunk].store(owned_chunks.back().get(), std::memory_order_release);
    }
    owned_pages.push_back(std::make_unique<Page>(*settings.load()));
    (*owned_chunks[chunk])[index % pages_in_chunk].store(owned_pages.back().get(),
                                                         std::memory_order_release);
    page_count.store(index + 1, std::memory_order_release);
    return index;
}

MetricStore::MetricStore(std::vector<double> rtt_buckets, const std::vector<std::string>& extra)
    : impl_(std::make_unique<Impl>()) {
    configure(std::move(rtt_buckets), extra);
}

MetricStore::~MetricStore() = default;

void MetricStore::configure(std::vector<double> rtt_buckets,
                            const std::vector<std::string>& extra) {
    auto settings = make_settings(std::move(rtt_buckets), extra);
    const std::lock_guard reload_lock(impl_->reload_mutex);
    impl_->settings.store(settings.get());
    for (const auto& page : impl_->owned_pages) {
        const std::lock_guard page_lock(page->mutex);
        page->reconfigure(*settings);
    }
    impl_->owned_settings.push_back(std::move(settings));
}

MetricStore::Id MetricStore::add(const Job& job) {
    const std::lock_guard reload_lock(impl_->reload_mutex);
    if (impl_->pages_with_room.empty()) {
        impl_->pages_with_room.push_back(impl_->add_page());
    }
    const std::size_t index = impl_->pages_with_room.back();
    Page& page = impl_->page(index);

    const std::lock_guard page_lock(page.mutex);
    const auto slot = static_cast<std::size_t>(std::countr_one(page.alive));
    page.add(slot, job, impl_->births.fetch_add(1) + 1);
    if (page.alive == std::numeric_limits<SlotMask>::max()) {
        impl_->pages_with_room.pop_back();
    }
    impl_->targets.fetch_add(1, std::memory_order_relaxed);
    return static_cast<Id>(index * page_targets + slot);
}

void MetricStore::update(Id id, const Job& job) {
    Page& page = impl_->page_of(id);
    const std::lock_guard lock(page.mutex);
    page.update(slot_of(id), job);
}

void MetricStore::remove(Id id) {
    const std::lock_guard reload_lock(impl_->reload_mutex);
    Page& page = impl_->page_of(id);
    const std::lock_guard page_lock(page.mutex);
    if (page.alive == std::numeric_limits<SlotMask>::max()) {
        impl_->pages_with_room.push_back(id / page_targets);
    }
    page.remove(slot_of(id));
    impl_->targets.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t MetricStore::size() const {
    return impl_->targets.load(std::memory_order_relaxed);
}

void MetricStore::record(Id id, probes::net::UnixTime started, const probes::ProbeResult& result) {
    const double unix_seconds = std::chrono::duration<double>(started.time_since_epoch()).count();
    Page& page = impl_->page_of(id);
    const std::lock_guard lock(page.mutex);
    if ((page.alive & slot_bit(slot_of(id))) != 0) {
        page.record(slot_of(id), unix_seconds, result);
    }
}

void MetricStore::skip(Id id, SkipReason reason) {
    Page& page = impl_->page_of(id);
    const std::lock_guard lock(page.mutex);
    if ((page.alive & slot_bit(slot_of(id))) != 0) {
        ++page.skips.at(index_of(reason))[slot_of(id)];
    }
}

void MetricStore::for_each(const std::function<bool(const State&)>& visit) const {
    const std::size_t pages = impl_->page_count.load(std::memory_order_acquire);
    std::vector<State> states;
    for (std::size_t i = 0; i < pages; ++i) {
        states.clear();
        {
            const Page& page = impl_->page(i);
            const std::lock_guard lock(page.mutex);
            for (SlotMask rest = page.alive; rest != 0; rest &= rest - 1) {
                states.push_back(page.state(static_cast<std::size_t>(std::countr_zero(rest))));
            }
        }
        if (!std::ranges::all_of(states, visit)) {
            return;
        }
    }
}

}  // namespace sonde::exporter

#include "exporter/metrics/cursor.hpp"

#include "exporter/metrics/label_text.hpp"
#include "exporter/metrics/store_impl.hpp"

#include <algorithm>
#include <bit>

namespace sonde::exporter {

using probes::Family;

namespace {

// The further labels or the value, the same for every slot.
constexpr auto always = [](auto value) {
    return [value](std::size_t) {
        return value;
    };
};

constexpr std::string_view success_label = ",result=\"success\"";
constexpr std::string_view failure_label = ",result=\"failure\"";
constexpr auto no_more = always(std::string_view{});

// The value of each slot in a column.
constexpr auto in = [](const auto& column) {
    return [&column](std::size_t slot) {
        return static_cast<double>(column[slot]);
    };
};

template <typename Visit>
void for_each_slot(SlotMask slots, Visit visit) {
    for (; slots != 0; slots &= slots - 1) {
        visit(static_cast<std::size_t>(std::countr_zero(slots)));
    }
}

}  // namespace

MetricStore::Cursor::Cursor(const MetricStore& store, const Selection& selection)
    : store_(*store.impl_),
      filter_(selection.targets),
      epoch_(store_.births.load()),
      pages_(store_.page_count.load(std::memory_order_acquire)) {
    const StoreSettings& settings = *store_.settings.load();
    const auto& wanted = selection.families;
    for (const probes::FamilyInfo& family : probes::families()) {
        if (settings.shows(family.family) &&
            (wanted.empty() || std::ranges::find(wanted, family.name) != wanted.end())) {
            families_.push_back(&family);
        }
    }
    const std::string histogram{info(Family::rtt).name};
    histogram_names_ = {histogram + "_bucket", histogram + "_sum", histogram + "_count"};
}

bool MetricStore::Cursor::next() {
    samples_.clear();
    while (samples_.empty()) {
        if (page_at_ == pages_) {
            page_at_ = 0;
            ++family_at_;
        }
        if (family_at_ >= families_.size() || pages_ == 0) {
            return false;
        }
        family_ = families_[family_at_];
        const Page& page = store_.page(page_at_);
        if (!filter_.wants_all() && page_at_ == chosen_.size()) {
            choose(page);
        }
        load(page);
        ++page_at_;
    }
    return true;
}

void MetricStore::Cursor::load(const Page& page) {
    {
        const std::lock_guard lock(page.mutex);
        slots_ = page.alive;
        if (page.youngest > epoch_) {
            for (std::size_t slot = 0; slot < page_targets; ++slot) {
                slots_ &= page.births[slot] > epoch_ ? ~slot_bit(slot) : ~SlotMask{0};
            }
        }
        labels_copied_ = false;
        if (!filter_.wants_all()) {
            slots_ &= chosen_[page_at_];
        }
        if (slots_ != 0) {
            read(page);
        }
    }
    if (slots_ != 0 && family_->family == Family::rtt) {
        render_histogram();
    }
    if (!labelled_.empty()) {
        render_labelled();
    }
}

// The filter is asked without the lock: patterns take their time.
void MetricStore::Cursor::choose(const Page& page) {
    SlotMask alive = 0;
    {
        const std::lock_guard lock(page.mutex);
        alive = page.alive;
        labels_ = page.labels;
    }
    SlotMask wanted = 0;
    for_each_slot(
        alive, [&](std::size_t slot) { assign_bit(wanted, slot, filter_.wants(labels_of(slot))); });
    chosen_.push_back(wanted);
}

void MetricStore::Cursor::read(const Page& page) {
    const auto measurements = probes::measurements_of(family_->family);
    if (measurements.empty()) {
        read_store_kept(page);
        return;
    }
    for (const probes::MeasurementInfo& measurement : measurements) {
        const std::size_t i = index_of(measurement.measurement);
        if (page.present[i] != 0) {
            const std::string_view more = page.settings->measurement_labels[i];
            add(page, page.present[i], always(more), in(*page.values[i].get()));
        }
    }
}

void MetricStore::Cursor::read_store_kept(const Page& page) {
    const StoreSettings& settings = *page.settings;
    switch (family_->family) {
        case Family::success:
            return add(page, page.checked, no_more, [&](std::size_t slot) {
                return static_cast<double>(page.succeeded >> slot & 1U);
            });
        case Family::up:
            return add(page, page.checked, no_more, [&](std::size_t slot) {
                return static_cast<double>(page.up >> slot & 1U);
            });
        case Family::duration:
            return add(page, page.checked, no_more, in(page.duration));
        case Family::rtt:
            return read_histogram(page);
        case Family::last_check_timestamp:
            return add(page, page.checked, no_more, in(page.last_check));
        case Family::last_success_timestamp:
            return add(page, page.ever_succeeded, no_more, in(page.last_success));
        case Family::checks_total:
            add(page, slots_, always(success_label), in(page.successes));
            return add(page, slots_, always(failure_label), in(page.failures));
        case Family::failures_total:
            for (std::size_t i = 0; i < count_of<probes::Failure>; ++i) {
                add_counts(page, page.failures_by_reason[i], settings.failure_labels[i]);
            }
            return;
        case Family::skipped_total:
            for (std::size_t i = 0; i < count_of<SkipReason>; ++i) {
                add_counts(page, page.skips[i], settings.skip_labels[i]);
            }
            return;
        case Family::failure_info:
            return add(
                page,
                page.checked & ~page.succeeded,
                [&](std::size_t slot) -> std::string_view {
                    return settings.failure_labels[index_of(page.failure[slot])];
                },
                always(1.0));
        case Family::interval:
            return add(page, slots_, no_more, in(page.interval));
        case Family::target_info:
            info_ = page.info;
            return add(
                page,
                slots_,
                [this](std::size_t slot) -> std::string_view { return info_.get(slot); },
                always(1.0));
        case Family::http_dead_connections_total:
            return add_counts(page, page.dead_connections, {});
        case Family::http_responses_total:
            return read_responses(page);
        default:
            return read_labelled(page);
    }
}

void MetricStore::Cursor::read_responses(const Page& page) {
    for (const Page::CodeColumn& column : page.responses) {
        std::string& more = codes_[column.code];
        if (more.empty()) {
            append_label(more, family_->labels.front(), std::to_string(column.code));
        }
        add_counts(page, column.responses, more);
    }
}

// Only takes references: rendering waits until the lock is free.
void MetricStore::Cursor::read_labelled(const Page& page) {
    for_each_slot(page.has_labelled[index_of(family_->family)] & slots_, [&](std::size_t slot) {
        copy_labels(page);
        for (const probes::LabelledReading& reading : page.labelled[slot]) {
            if (reading.family == family_->family) {
                labelled_.push_back({slot, reading, 0});
            }
        }
    });
}

void MetricStore::Cursor::render_labelled() {
    more_.clear();
    for (Labelled& item : labelled_) {
        const auto& values = *item.reading.labels;
        const std::size_t labels = std::min(values.size(), family_->labels.size());
        for (std::size_t i = 0; i < labels; ++i) {
            append_label(more_, family_->labels[i], values[i]);
        }
        item.text_end = more_.size();
    }
    std::size_t begin = 0;
    for (const Labelled& item : labelled_) {
        const auto more = std::string_view{more_}.substr(begin, item.text_end - begin);
        samples_.push_back({family_->name, labels_of(item.slot), more, item.reading.value});
        begin = item.text_end;
    }
    labelled_.clear();
}

void MetricStore::Cursor::read_histogram(const Page& page) {
    copy_labels(page);
    buckets_ = page.buckets;
    bucket_labels_ = page.settings->bucket_labels;
    sums_ = page.rtt_sum;
}

void MetricStore::Cursor::render_histogram() {
    const std::string_view bucket_name = histogram_names_[0];
    const std::string_view sum_name = histogram_names_[1];
    const std::string_view count_name = histogram_names_[2];
    for_each_slot(slots_, [&](std::size_t slot) {
        const std::string_view labels = labels_of(slot);
        const std::uint32_t* bucket = &buckets_[slot * bucket_labels_.size()];
        std::uint64_t cumulative = 0;
        for (const std::string& more : bucket_labels_) {
            cumulative += *bucket++;
            samples_.push_back({bucket_name, labels, more, static_cast<double>(cumulative)});
        }
        samples_.push_back({sum_name, labels, {}, sums_[slot]});
        samples_.push_back({count_name, labels, {}, static_cast<double>(cumulative)});
    });
}

template <typename MoreOf, typename ValueOf>
void MetricStore::Cursor::add(const Page& page, SlotMask slots, MoreOf more_of, ValueOf value_of) {
    slots &= slots_;
    if (slots == 0) {
        return;
    }
    copy_labels(page);
    for_each_slot(slots, [&](std::size_t slot) {
        samples_.push_back({family_->name, labels_of(slot), more_of(slot), value_of(slot)});
    });
}

void MetricStore::Cursor::add_counts(const Page& page,
                                     const LazyColumn<std::uint32_t>& column,
                                     std::string_view more) {
    if (column.get() == nullptr) {
        return;
    }
    const Column<std::uint32_t>& counts = *column.get();
    SlotMask happened = 0;
    for (std::size_t slot = 0; slot < page_targets; ++slot) {
        assign_bit(happened, slot, counts[slot] != 0);
    }
    add(page, happened, always(more), in(counts));
}

void MetricStore::Cursor::copy_labels(const Page& page) {
    if (!labels_copied_) {
        labels_ = page.labels;
        labels_copied_ = true;
    }
}

}  // namespace sonde::exporter

// Sixty-four targets of the MetricStore, stored by columns: a scrape walks family by family and
// then reads only the columns of that family. Private to the store and its Cursor; owns no policy
// on what is shown.
#pragma once

#include "exporter/metrics/store.hpp"
#include "probes/measurement.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::exporter {

template <typename Enum>
constexpr std::size_t count_of = static_cast<std::size_t>(Enum::count);

template <typename Enum>
constexpr std::size_t index_of(Enum value) {
    return static_cast<std::size_t>(value);
}

inline constexpr std::size_t page_targets = 64;

/// One bit for each target of a page.
using SlotMask = std::uint64_t;

template <typename T>
using Column = std::array<T, page_targets>;

/// A column that takes memory only once some target of the page has a value in it.
template <typename T>
class LazyColumn {
public:
    T& operator[](std::size_t slot) {
        if (!values_) {
            values_ = std::make_unique<Column<T>>();
        }
        return (*values_)[slot];
    }

    /// Null: no target of the page has had a value.
    [[nodiscard]] const Column<T>* get() const { return values_.get(); }

    /// Forgets a slot's value without making the column.
    void clear(std::size_t slot) {
        if (values_) {
            (*values_)[slot] = T{};
        }
    }

private:
    std::unique_ptr<Column<T>> values_;
};

/// The texts of a page's targets, one after the other in one string.
class TextColumn {
public:
    void set(std::size_t slot, std::string_view text);

    /// Gives back the room that growing left; for a page that is full.
    void trim() { text_.shrink_to_fit(); }

    [[nodiscard]] std::string_view get(std::size_t slot) const;

private:
    std::string text_;
    Column<std::uint32_t> ends_{};  // where each slot's text ends
};

/// What the store was set up to keep, and the labels with fixed values; the same for all pages.
struct StoreSettings {
    std::vector<double> bounds;  // of the RTT buckets, ascending, without +Inf
    std::bitset<count_of<probes::Family>> exposed;
    std::uint64_t kept = 0;  // by Measurement: those of exposed families

    // Rendered, as in `,le="0.005"`.
    std::vector<std::string> bucket_labels;  // one for each bound and one for +Inf
    std::array<std::string, count_of<probes::Measurement>> measurement_labels;
    std::array<std::string, count_of<probes::Failure>> failure_labels;
    std::array<std::string, count_of<SkipReason>> skip_labels;

    [[nodiscard]] std::size_t buckets() const { return bounds.size() + 1; }

    [[nodiscard]] bool shows(probes::Family family) const { return exposed[index_of(family)]; }
};

/// Every member but `mutex` is guarded by it. Page's functions are called with it held.
struct Page {
    /// `first`, like those of reconfigure(), must outlive the page.
    explicit Page(const StoreSettings& first);

    /// From now on `wanted` holds. Other bounds empty the histograms; a family that is no longer
    /// exposed loses its values.
    void reconfigure(const StoreSettings& wanted);

    /// `slot` is not alive: never used, or left clean by remove(). The store records nothing for
    /// it.
    void add(std::size_t slot, const Job& job, std::uint64_t birth);
    void update(std::size_t slot, const Job& job);
    void remove(std::size_t slot);
    void record(std::size_t slot, double started, const probes::ProbeResult& result);
    [[nodiscard]] MetricStore::State state(std::size_t slot) const;

    mutable std::mutex mutex;
    const StoreSettings* settings;
    SlotMask alive = 0;
    SlotMask checked = 0;    // at least once
    SlotMask succeeded = 0;  // in the last check
    SlotMask up = 0;         // as confirmed
    SlotMask ever_succeeded = 0;
    SlotMask last_has_rtt = 0;
    std::uint64_t youngest = 0;  // the latest of `births`

    std::array<SlotMask, count_of<probes::Measurement>> present{};
    std::array<SlotMask, count_of<probes::Family>> has_labelled{};
    std::array<LazyColumn<double>, count_of<probes::Measurement>> values;
    std::array<LazyColumn<std::uint32_t>, count_of<probes::Failure>> failures_by_reason;
    std::array<LazyColumn<std::uint32_t>, count_of<SkipReason>> skips;

    struct CodeColumn {
        std::uint16_t code;
        LazyColumn<std::uint32_t> responses;
    };

    std::vector<CodeColumn> responses;  // ascending by code
    LazyColumn<std::uint32_t> dead_connections;
    LazyColumn<std::unique_ptr<probes::Digest>> bodies;  // of the last check that has one

    // Counts of 32 bits: at ten checks a second they last 13 years, and then a counter starts anew.
    Column<std::uint32_t> successes{};
    Column<std::uint32_t> failures{};
    std::vector<std::uint32_t> buckets;  // not cumulative; a row for each slot
    Column<double> rtt_sum{};

    Column<probes::Failure> failure{};  // of the last check, like all that follow
    Column<double> duration{};
    Column<double> last_rtt{};
    Column<double> last_check{};    // Unix seconds
    Column<double> last_success{};  // Unix seconds
    Column<std::vector<probes::LabelledReading>> labelled;
    Column<std::unique_ptr<std::string>> detail;

    Column<std::uint8_t> against{};  // checks in a row whose verdict is not that of `up`
    Column<Confirmation> confirmation{};

    Column<double> interval{};
    Column<std::string_view> kind;
    Column<std::uint64_t> births{};  // in the order in which the store's targets were added
    TextColumn labels;               // what render_target_labels made
    TextColumn info;                 // what render_info_labels made

private:
    void forget(std::size_t slot);
    void set_texts(std::size_t slot, const Job& job);
    void confirm(std::size_t slot, bool success);
    void record_readings(std::size_t slot, const probes::ProbeResult& result);
    void record_labelled(std::size_t slot, std::span<const probes::LabelledReading> readings);
    void forget_family(probes::Family family);
    void record_body(std::size_t slot, const probes::Digest& digest);
    void count_response(std::size_t slot, double status_code);
};

constexpr SlotMask slot_bit(std::size_t slot) {
    return SlotMask{1} << slot;
}

constexpr void assign_bit(SlotMask& mask, std::size_t slot, bool value) {
    mask = value ? mask | slot_bit(slot) : mask & ~slot_bit(slot);
}

}  // namespace sonde::exporter

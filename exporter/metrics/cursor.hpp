// The resumable walk over a MetricStore's samples. Owns what is shown of a target and in which
// order; the formats are exposition's.
#pragma once

#include "exporter/metrics/page.hpp"
#include "exporter/metrics/store.hpp"
#include "probes/measurement.hpp"

#include <prometheus/metric_type.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::exporter {

/// prometheus-cpp's word for a type.
[[nodiscard]] prometheus::MetricType prometheus_type(probes::MetricType type);

/// Walks family by family, and inside a family page by page, in constant memory. Targets that were
/// added after the walk began are not in it, so that one that is removed and added again does not
/// appear twice; one that is removed is gone from then on. A filter is asked once for each target,
/// which then costs a bit of memory. Holds no lock between calls and may be
/// kept for as long as the store lives; used by one thread.
class MetricStore::Cursor {
public:
    struct Sample {
        std::string_view name;    // with the _bucket, _sum or _count of a histogram
        std::string_view labels;  // of the target: target="...",team="web"; escaped
        std::string_view more;    // further labels, escaped: empty, or begins with a comma
        double value;
    };

    Cursor(const MetricStore& store, const Selection& selection);

    /// Goes to the next page that has samples of the family, or of the next family. False: no more.
    [[nodiscard]] bool next();

    /// Of all current samples.
    [[nodiscard]] const probes::FamilyInfo& family() const { return *family_; }

    /// At most one page's; valid until next(). The samples of a target's histogram follow each
    /// other: cumulative buckets, sum, count.
    [[nodiscard]] std::span<const Sample> samples() const { return samples_; }

private:
    struct Labelled {
        std::size_t slot = 0;
        probes::LabelledReading reading;
        std::size_t text_end = 0;  // in more_
    };

    void load(const Page& page);
    void choose(const Page& page);
    void read(const Page& page);
    void read_store_kept(const Page& page);
    void read_labelled(const Page& page);
    void read_responses(const Page& page);
    void read_histogram(const Page& page);
    void render_labelled();
    void render_histogram();

    /// For each slot of `slots` that is in the walk, a sample with more_of(slot) and
    /// value_of(slot).
    template <typename MoreOf, typename ValueOf>
    void add(const Page& page, SlotMask slots, MoreOf more_of, ValueOf value_of);
    void add_counts(const Page& page,
                    const LazyColumn<std::uint32_t>& column,
                    std::string_view more);

    void copy_labels(const Page& page);

    [[nodiscard]] std::string_view labels_of(std::size_t slot) const { return labels_.get(slot); }

    const Impl& store_;
    TargetFilter filter_;
    std::vector<SlotMask> chosen_;  // by page, as far as the walk came; empty without a filter
    std::uint64_t epoch_;           // births up to it are in the walk
    std::size_t pages_;
    std::vector<const probes::FamilyInfo*> families_;
    std::size_t family_at_ = 0;
    std::size_t page_at_ = 0;
    const probes::FamilyInfo* family_ = nullptr;

    // Copies of the page's, made under its lock.
    SlotMask slots_ = 0;  // that are in the walk
    bool labels_copied_ = false;
    TextColumn labels_;
    TextColumn info_;
    std::vector<std::uint32_t> buckets_;
    std::span<const std::string> bucket_labels_;
    Column<double> sums_{};
    std::vector<Labelled> labelled_;

    std::string more_;                            // the rendered labels of labelled readings
    std::map<std::uint16_t, std::string> codes_;  // `,code="200"`
    std::array<std::string, 3> histogram_names_;  // _bucket, _sum, _count
    std::vector<Sample> samples_;
};

}  // namespace sonde::exporter

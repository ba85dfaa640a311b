// MetricStore as prometheus-cpp sees it. Built from the Cursor, so that it can say nothing else
// than /metrics does.
#include "exporter/metrics/cursor.hpp"
#include "exporter/metrics/label_text.hpp"

#include <prometheus/metric_family.h>

#include <charconv>
#include <limits>

namespace sonde::exporter {

namespace {

std::vector<prometheus::ClientMetric::Label> to_labels(std::string_view rendered) {
    std::vector<prometheus::ClientMetric::Label> labels;
    for (auto& [name, value] : parse_labels(rendered)) {
        labels.push_back({std::move(name), std::move(value)});
    }
    return labels;
}

double bound_of(std::string_view rendered) {
    const std::string text = parse_labels(rendered).front().second;
    double bound = std::numeric_limits<double>::infinity();
    if (text != "+Inf") {
        std::from_chars(text.data(), text.data() + text.size(), bound);
    }
    return bound;
}

// `first`: the samples before this one belong to other histograms.
void add_histogram_sample(std::vector<prometheus::ClientMetric>& metrics,
                          const MetricStore::Cursor::Sample& sample,
                          bool first) {
    if (first) {
        metrics.emplace_back().label = to_labels(sample.labels);
    }
    prometheus::ClientMetric::Histogram& histogram = metrics.back().histogram;
    if (sample.name.ends_with("_bucket")) {
        histogram.bucket.push_back(
            {static_cast<std::uint64_t>(sample.value), bound_of(sample.more)});
    } else if (sample.name.ends_with("_sum")) {
        histogram.sample_sum = sample.value;
    } else {
        histogram.sample_count = static_cast<std::uint64_t>(sample.value);
    }
}

void add_sample(prometheus::MetricFamily& family, const MetricStore::Cursor::Sample& sample) {
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    metric.label = to_labels(sample.labels);
    const auto more = to_labels(sample.more);
    metric.label.insert(metric.label.end(), more.begin(), more.end());
    if (family.type == prometheus::MetricType::Counter) {
        metric.counter.value = sample.value;
    } else {
        metric.gauge.value = sample.value;
    }
}

}  // namespace

prometheus::MetricType prometheus_type(probes::MetricType type) {
    switch (type) {
        case probes::MetricType::counter:
            return prometheus::MetricType::Counter;
        case probes::MetricType::histogram:
            return prometheus::MetricType::Histogram;
        case probes::MetricType::gauge:
            break;
    }
    return prometheus::MetricType::Gauge;
}

std::vector<prometheus::MetricFamily> MetricStore::Collect() const {
    std::vector<prometheus::MetricFamily> families;
    const probes::FamilyInfo* current = nullptr;
    bool histogram_ended = true;
    Cursor cursor(*this, {});
    while (cursor.next()) {
        if (current != &cursor.family()) {
            current = &cursor.family();
            families.push_back({std::string{current->name},
                                std::string{current->help},
                                prometheus_type(current->type),
                                {}});
        }
        for (const Cursor::Sample& sample : cursor.samples()) {
            if (current->type == probes::MetricType::histogram) {
                add_histogram_sample(families.back().metric, sample, histogram_ended);
                histogram_ended = sample.name.ends_with("_count");
            } else {
                add_sample(families.back(), sample);
            }
        }
    }
    return families;
}

}  // namespace sonde::exporter

// The text that a scraper reads: text format 0.0.4 and OpenMetrics 1.0.0, streamed in constant
// memory. Owns formats and escaping; what there is to say comes from MetricStore and prometheus-cpp
// Collectables.
#pragma once

#include "exporter/metrics/store.hpp"
#include "exporter/server/body_source.hpp"

#include <prometheus/collectable.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::exporter {

enum class ExpositionFormat : std::uint8_t { text, openmetrics };

/// By the Accept header (RFC 9110 section 12.5.1, q-values honoured); text when it says nothing.
[[nodiscard]] ExpositionFormat negotiate_exposition(std::string_view accept);
[[nodiscard]] std::string_view content_type(ExpositionFormat format);

/// One scrape: first the targets (`store`), then the program's own (`self`, collected at once),
/// then what the format ends with. Each next() gives some 64 KiB.
[[nodiscard]] std::unique_ptr<BodySource> make_exposition(
    ExpositionFormat format,
    const MetricStore& store,
    std::vector<std::shared_ptr<prometheus::Collectable>> self,
    MetricStore::Selection selection);

}  // namespace sonde::exporter

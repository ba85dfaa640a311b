// Label sets as exposition formats write them: `name="value",name="value"`, escaped. Owns the
// escaping of label values (text 0.0.4 and OpenMetrics 1.0.0 agree on it) and the way back.
#pragma once

#include "exporter/plan/job.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde::exporter {

/// Appends `raw` with `\`, `"` and newline escaped. What is not UTF-8, and NUL, becomes U+FFFD: one
/// bad byte in a certificate's subject would make Prometheus reject the whole scrape.
void append_escaped(std::string& out, std::string_view raw);

/// Appends `,name="value"`.
void append_label(std::string& out, std::string_view name, std::string_view value);

/// The labels that each series of a target has; without a comma before the first.
[[nodiscard]] std::string render_target_labels(const Job& job);

/// The further labels of a target's probe_target_info, url, kind and module; with a comma before
/// the first.
[[nodiscard]] std::string render_info_labels(const Job& job);

/// The way back, for text that these functions made, with or without a leading comma.
[[nodiscard]] Labels parse_labels(std::string_view text);

/// A number as OpenMetrics wants a bucket's `le` (its "canonical numbers"): "0.005", "1.0",
/// "1e-05",
/// "+Inf". Text 0.0.4 gets the same, so that the format never changes a series' identity.
[[nodiscard]] std::string canonical_number(double value);

}  // namespace sonde::exporter

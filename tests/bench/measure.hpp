// What the measurements have in common: CPU time and percentiles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <vector>

namespace sonde::bench {

/// CPU time of the whole process so far.
inline double cpu_seconds() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

/// `share` from 0 to 1; 0 without values. Reorders them.
inline double percentile(std::vector<double>& values, double share) {
    if (values.empty()) {
        return 0;
    }
    const auto at = std::min(values.size() - 1,
                             static_cast<std::size_t>(share * static_cast<double>(values.size())));
    std::nth_element(
        values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

}  // namespace sonde::bench

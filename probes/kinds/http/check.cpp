#include "probes/kinds/http/check.hpp"

namespace sonde::probes::http {

std::string_view version_text(unsigned version) {
    return version == 20 ? "2" : version == 10 ? "1.0" : "1.1";
}

Duration PhaseTimes::total() const {
    Duration total{};
    for (const auto& sum : sums_) {
        total += sum.value_or(Duration::zero());
    }
    return total;
}

void Check::phase(Phase phase, net::TimePoint begin, Duration length) {
    phases.add(phase, length);
    if (Trace* watcher = trace()) {
        watcher->hop().spans.push_back({phase, begin - started, length});
    }
}

}  // namespace sonde::probes::http

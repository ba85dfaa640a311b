// Interning of probes by what they read.
#include "exporter/plan/probe_pool.hpp"

#include <utility>

namespace sonde::exporter {

ProbePool::ProbePtr ProbePool::make(const probes::Kind& kind,
                                    const config::Context& context,
                                    std::vector<config::Layer> layers,
                                    SettingsPlace place) {
    std::string trace{kind.name};
    trace += '\0';
    config::Context traced = context;
    traced.trace = &trace;
    config::Table table{traced, std::move(layers)};
    allow_common(table, place);
    ProbePtr made = kind.make(table);
    table.report_unknown();
    if (!made) {
        return nullptr;
    }
    std::weak_ptr<const probes::Probe>& known = probes_[probes::sha256(trace)];
    if (ProbePtr same = known.lock()) {
        return same;
    }
    known = made;
    return made;
}

void ProbePool::forget_unused() {
    std::erase_if(probes_, [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace sonde::exporter

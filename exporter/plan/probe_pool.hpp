// Makes probes from settings so that equal settings are one object: within a load, and across
// reloads. Owns no configuration; remembers fingerprints, never settings or secrets.
#pragma once

#include "config/table.hpp"
#include "exporter/plan/common_settings.hpp"
#include "probes/digest.hpp"
#include "probes/kinds/kinds.hpp"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sonde::exporter {

/// Used by one load at a time; lives from plan to plan. Does not keep probes alive.
class ProbePool {
public:
    using ProbePtr = std::shared_ptr<const probes::Probe>;

    /// Kind::make over `layers`, the first of which is that of `place`; null when something was
    /// wrong (it is in the context's diagnostics). Keys of the first layer that are neither common
    /// nor the kind's are reported.
    ProbePtr make(const probes::Kind& kind,
                  const config::Context& context,
                  std::vector<config::Layer> layers,
                  SettingsPlace place);

    /// Forgets probes that nobody uses any more.
    void forget_unused();

    [[nodiscard]] std::size_t size() const { return probes_.size(); }

private:
    std::unordered_map<probes::Digest, std::weak_ptr<const probes::Probe>, probes::DigestHash>
        probes_;
};

}  // namespace sonde::exporter

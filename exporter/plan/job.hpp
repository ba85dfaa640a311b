// A target of the running plan: what to check, how, and how often.
#pragma once

#include "probes/probe.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sonde::exporter {

/// Sorted by name. Shared by targets with equal labels.
using Labels = std::vector<std::pair<std::string, std::string>>;

struct Job {
    probes::Target target;
    std::string shown_url;  // what target_info, pages and logs show; secrets masked. Empty:
                            // target.url.show()
    std::string_view kind;  // of probes::Kind, static
    std::shared_ptr<const std::string> module;  // null: none
    std::shared_ptr<const Labels> labels;       // null: none
    std::shared_ptr<const probes::Probe>
        probe;  // equal settings are the same object, also over a reload
    std::chrono::nanoseconds interval{};
    std::chrono::nanoseconds timeout{};
};

}  // namespace sonde::exporter

// A target of the running plan: what to check, how, and how often.
#pragma once

#include "probes/probe.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sonde::exporter {

/// Sorted by name. Shared by targets with equal labels.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// When a target counts as down or up again, which one check need not decide.
struct Confirmation {
    std::uint8_t rechecks = 0;  // at once after a failure, until a success or so many
    std::uint8_t failures_to_down = 1;
    std::uint8_t successes_to_up = 1;
    bool operator==(const Confirmation&) const = default;
};

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
    Confirmation confirmation;
};

}  // namespace sonde::exporter

// THE list of kinds of probes.
#pragma once

#include "config/table.hpp"
#include "probes/probe.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sonde::probes {

struct Kind {
    std::string_view name;  // "http": the kind label and the key in docs/config.md
    std::span<const std::string_view> schemes;  // url schemes that choose it
    std::string_view help;                      // one sentence for the reference

    /// Reads the settings of this kind (not the ones every kind has: url, interval, labels...).
    /// What is wrong goes to the table's diagnostics; null when anything was.
    std::shared_ptr<const Probe> (*make)(config::Table& settings);

    /// What is wrong with this url for this kind; empty when nothing is.
    std::string (*check_url)(const Url& url);
};

[[nodiscard]] std::span<const Kind> kinds();
[[nodiscard]] const Kind* find_kind(std::string_view name);
[[nodiscard]] const Kind* kind_of_scheme(std::string_view scheme);

}  // namespace sonde::probes

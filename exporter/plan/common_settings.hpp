// The keys that every target has, whatever its kind: name, url, kind, module, interval, timeout,
// labels. Owns their rules; the keys of a kind belong to probes::Kind::make.
#pragma once

#include "config/table.hpp"
#include "exporter/plan/job.hpp"
#include "probes/kinds/kinds.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace sonde::exporter {

struct CommonSettings {
    std::string name;  // empty: from the url
    config::Text url;
    std::string kind;    // empty: from the url's scheme
    std::string module;  // empty: none
    config::Duration interval = std::chrono::seconds{30};
    config::Duration timeout = std::chrono::seconds{10};
    std::map<std::string, std::string> labels;
    Confirmation confirmation;
};

/// Which table is read: what a module or [defaults] may not hold differs. Of a lone target, whose
/// module is unknown, nobody can say what it inherits.
enum class SettingsPlace : std::uint8_t { target, lone_target, module, defaults };

/// Reads (or documents) the common keys. The first layer of `table` is the one that `place` names;
/// rules between keys (timeout against interval, names of labels) are checked here too. An
/// inherited timeout longer than the interval comes out clamped to it.
void read_common(config::Table& table, CommonSettings& settings, SettingsPlace place);

/// Tells `table` that the common keys are known, without reading them.
void allow_common(config::Table& table, SettingsPlace place);

[[nodiscard]] const probes::Kind* find_kind(std::span<const probes::Kind> kinds,
                                            std::string_view name);
[[nodiscard]] const probes::Kind* kind_of_scheme(std::span<const probes::Kind> kinds,
                                                 std::string_view scheme);
/// The kind of what names no kind and has no scheme: http.
[[nodiscard]] const probes::Kind& standard_kind(std::span<const probes::Kind> kinds);
[[nodiscard]] bool takes_scheme(const probes::Kind& kind, std::string_view scheme);

/// `unknown kind "htp", did you mean "http"?` or with all kinds listed.
[[nodiscard]] std::string unknown_kind(std::span<const probes::Kind> kinds, std::string_view name);

/// `unknown THING "word", did you mean ...?`, or with what is known.
[[nodiscard]] std::string unknown_word(std::string_view thing,
                                       std::string_view word,
                                       std::span<const std::string_view> known);

}  // namespace sonde::exporter

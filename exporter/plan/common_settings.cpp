// The keys that every target has and their rules.
#include "exporter/plan/common_settings.hpp"

#include "config/document.hpp"
#include "probes/measurement.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace sonde::exporter {

namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 10> common_keys{"name",
                                                       "url",
                                                       "kind",
                                                       "module",
                                                       "interval",
                                                       "timeout",
                                                       "labels",
                                                       "confirm",
                                                       "failures_to_down",
                                                       "successes_to_up"};

bool is_target(SettingsPlace place) {
    return place == SettingsPlace::target || place == SettingsPlace::lone_target;
}

bool belongs(std::string_view key, SettingsPlace place) {
    if (key == "name" || key == "url") {
        return is_target(place);
    }
    return key != "module" || place != SettingsPlace::module;
}

bool is_label_name(std::string_view name) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return letter(c) || (c >= '0' && c <= '9');
           });
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

void check_labels(config::Table& table, const CommonSettings& settings) {
    for (const auto& [name, value] : settings.labels) {
        if (!is_label_name(name)) {
            table.error_in("labels", name, "a label's name must match [a-zA-Z_][a-zA-Z0-9_]*");
        } else if (name.starts_with("__") || probes::is_reserved_label(name)) {
            table.error_in("labels", name, "this label's name is reserved; choose another");
        }
    }
}

/// An inherited timeout gives way to the interval; one that stands beside the interval, or above
/// it, is a mistake of whoever wrote it.
void fit_timeout(config::Table& table, CommonSettings& settings, SettingsPlace place) {
    if (settings.timeout <= settings.interval) {
        return;
    }
    const std::optional<std::size_t> timeout_from = table.origin("timeout");
    const bool own = timeout_from == std::size_t{0};
    const bool beside = timeout_from && timeout_from == table.origin("interval");
    if (beside || (own && place == SettingsPlace::target)) {
        table.error("timeout",
                    "the timeout " + config::format_duration(settings.timeout) +
                        " is longer than the interval " +
                        config::format_duration(settings.interval) +
                        "; make it at most the interval");
        return;
    }
    settings.timeout = settings.interval;
}

void read_identity(config::Table& table, CommonSettings& settings) {
    if (table.read({"name",
                    "What the target is called everywhere; unique. Default: the url without user "
                    "and password."},
                   settings.name)) {
        if (settings.name.empty() || has_control_character(settings.name)) {
            table.error("name", "must not be empty or hold control characters");
        }
    }
    const bool given =
        table.read({"url",
                    "What is checked. Its scheme chooses the kind of probe; without one, `kind` "
                    "does. With a secret, "
                    "`name` must be given."},
                   settings.url);
    if (given && settings.url.reveal().empty()) {
        table.error("url", "must not be empty");
    } else if (!given && !table.origin("url")) {
        table.error("", "a target needs a url");
    }
}

void read_confirmation(config::Table& table, Confirmation& confirmation) {
    const auto read =
        [&](config::Key key, std::uint8_t& value, std::int64_t least, std::int64_t most) {
            std::int64_t number = value;
            table.read(key, number, least, most);
            value = static_cast<std::uint8_t>(number);
        };
    read(
        {"confirm",
         "How many times a check that failed is repeated at once, until one succeeds. Each is a "
         "check "
         "like any other; once a target has failed them all, it is checked at its interval again."},
        confirmation.rechecks,
        0,
        10);
    read({"failures_to_down", "Failed checks in a row after which `probe_up` is 0."},
         confirmation.failures_to_down,
         1,
         100);
    read({"successes_to_up", "Successful checks in a row after which `probe_up` is 1 again."},
         confirmation.successes_to_up,
         1,
         100);
}

}  // namespace

void read_common(config::Table& table, CommonSettings& settings, SettingsPlace place) {
    if (is_target(place)) {
        read_identity(table, settings);
    } else {
        for (const std::string_view key : {std::string_view{"name"}, std::string_view{"url"}}) {
            table.tolerate(key);
            if (table.origin(key)) {
                table.error(key, "belongs to a [[target]] only");
            }
        }
    }
    table.read({"kind", "The kind of probe, where the url's scheme does not say it."},
               settings.kind);
    if (place == SettingsPlace::module) {
        table.tolerate("module");
        if (table.origin("module") == std::size_t{0}) {
            table.error("module", "a module cannot use another module");
        }
    } else {
        table.read({"module", "The `[modules.NAME]` whose keys this target inherits."},
                   settings.module);
    }
    const bool interval =
        table.read({"interval", "From the start of one check to the start of the next."},
                   settings.interval,
                   100ms,
                   168h);
    const bool timeout = table.read({"timeout",
                                     "The deadline of a whole check. An inherited timeout longer "
                                     "than the interval is cut to it."},
                                    settings.timeout,
                                    1ms,
                                    1h);
    if (table.read({"labels", "Labels of every series of the target."}, settings.labels)) {
        check_labels(table, settings);
    }
    read_confirmation(table, settings.confirmation);
    // Of two values one of which is wrong there is nothing to say.
    const bool right =
        (interval || !table.origin("interval")) && (timeout || !table.origin("timeout"));
    if (!table.documenting() && right) {
        fit_timeout(table, settings, place);
    }
}

void allow_common(config::Table& table, SettingsPlace place) {
    for (const std::string_view key : common_keys) {
        if (belongs(key, place)) {
            table.allow(key);
        } else {
            table.tolerate(key);
        }
    }
}

const probes::Kind* find_kind(std::span<const probes::Kind> kinds, std::string_view name) {
    const auto found = std::find_if(
        kinds.begin(), kinds.end(), [&](const auto& kind) { return kind.name == name; });
    return found == kinds.end() ? nullptr : &*found;
}

bool takes_scheme(const probes::Kind& kind, std::string_view scheme) {
    return std::find(kind.schemes.begin(), kind.schemes.end(), scheme) != kind.schemes.end();
}

const probes::Kind* kind_of_scheme(std::span<const probes::Kind> kinds, std::string_view scheme) {
    const auto found = std::find_if(
        kinds.begin(), kinds.end(), [&](const auto& kind) { return takes_scheme(kind, scheme); });
    return found == kinds.end() ? nullptr : &*found;
}

const probes::Kind& standard_kind(std::span<const probes::Kind> kinds) {
    const probes::Kind* http = find_kind(kinds, "http");
    return http != nullptr ? *http : kinds.front();
}

std::string unknown_word(std::string_view thing,
                         std::string_view word,
                         std::span<const std::string_view> known) {
    std::string out = "unknown " + std::string{thing} + " " + config::quoted(word);
    const std::string meant = config::did_you_mean(word, known);
    if (!meant.empty()) {
        return out + ", " + meant;
    }
    out += known.empty() ? "; there are none" : "; known:";
    for (std::size_t i = 0; i < known.size(); ++i) {
        out += i == 0 ? " " : ", ";
        out += known[i];
    }
    return out;
}

std::string unknown_kind(std::span<const probes::Kind> kinds, std::string_view name) {
    std::vector<std::string_view> names;
    for (const probes::Kind& kind : kinds) {
        names.push_back(kind.name);
    }
    return unknown_word("kind", name, names);
}

}  // namespace sonde::exporter

// [defaults] and [modules] while a plan is loaded: checked once on their own, decoded once for each
// kind that uses them. Owns their documents; what outlives the load is Inherited.
#pragma once

#include "config/document.hpp"
#include "exporter/plan/common_settings.hpp"
#include "exporter/plan/plan.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::exporter {

/// Where a load reports and reads.
struct LoadContext {
    std::span<const probes::Kind> kinds;
    config::Diagnostics& diagnostics;
    config::Inputs& inputs;
    ProbePool& pool;

    [[nodiscard]] config::Context settings() const {
        return {&diagnostics, &inputs, nullptr, false, nullptr};
    }
};

class PlanInherited {
public:
    explicit PlanInherited(LoadContext& context);

    /// Takes [defaults] (of the main file) and [modules] (of any) out of a document.
    void take_defaults(config::Document& document);
    void take_modules(config::Document& document);

    /// Checks [defaults] and the common keys of every module. After the last take_.
    void check();

    /// Decodes the modules that no target used, so that their errors are found too. After the last
    /// target.
    void check_unused();

    /// Takes over what `old` has decoded, when it is of the same settings.
    void adopt(const Plan& old);

    /// Of all settings as they are written.
    [[nodiscard]] probes::Digest fingerprint() const;

    struct Entry {
        std::optional<config::Layer> layer;  // of the module; nothing: [defaults] alone
        std::string kind;                    // as named
        Inherited inherited;
        bool used = false;
    };

    /// Null: there is no such module. "" is [defaults] alone.
    [[nodiscard]] Entry* find(std::string_view module);
    [[nodiscard]] std::vector<std::string_view> module_names() const;

    /// `target` (may be empty) over the module's layers. When `checked`, what is wrong in the
    /// inherited layers counts as reported.
    [[nodiscard]] std::vector<config::Layer> layers(const config::Layer& target,
                                                    const Entry& entry,
                                                    bool checked = true) const;

    [[nodiscard]] const config::Layer& defaults() const { return defaults_layer_; }

    /// The probe of a target that adds no key of its own; null: it has errors or needs the target's
    /// keys.
    std::shared_ptr<const probes::Probe> probe(Entry& entry, const probes::Kind& kind);

    [[nodiscard]] std::map<std::string, Inherited, std::less<>> release();

    [[nodiscard]] const std::set<std::string>& inputs_used() const { return inputs_used_; }

private:
    void check_defaults();
    void check_module(Entry& entry);

    LoadContext& context_;
    std::optional<config::Document> defaults_;
    config::Layer defaults_layer_;
    std::vector<config::Document> modules_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::set<std::string> inputs_used_;
};

}  // namespace sonde::exporter

// One [[target]] to a Job. Owns the rules that join a url, a kind, a module and labels; keys of a
// kind are read by Kind::make.
#pragma once

#include "exporter/plan/inherited.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace sonde::exporter {

/// The url of a target, parsed for the kind it chose.
struct TargetUrl {
    const probes::Kind* kind = nullptr;
    probes::Url url;
};

/// `text` with the scheme it has or the first one of `kind` (null: http). Nothing, and what is
/// wrong in `error`, when it is no url or no kind takes it. The error repeats no part of a `secret`
/// url.
[[nodiscard]] std::optional<TargetUrl> parse_target_url(const config::Text& text,
                                                        const probes::Kind* kind,
                                                        std::span<const probes::Kind> kinds,
                                                        std::string& error);

class TargetReader {
public:
    TargetReader(LoadContext& context, PlanInherited& inherited)
        : context_(context),
          inherited_(inherited) {}

    /// Null when anything was wrong; it is in the diagnostics. `index` counts the file's targets
    /// from 0.
    std::shared_ptr<const Job> read(config::Layer target, std::size_t index);

private:
    std::shared_ptr<Job> build(config::Table& table,
                               const CommonSettings& settings,
                               const PlanInherited::Entry& entry,
                               const probes::Kind* named);
    /// The kind that `kind` names, if it fits the url.
    const probes::Kind* kind_named(config::Table& table,
                                   const CommonSettings& settings,
                                   const PlanInherited::Entry& entry);
    /// The kind whose keys the target has, be its url right or wrong; null: nobody can say.
    [[nodiscard]] const probes::Kind* kind_of(const CommonSettings& settings,
                                              const probes::Kind* named) const;
    [[nodiscard]] const probes::Kind& likely_kind(const CommonSettings& settings) const;
    /// Reports what is wrong in the target's own keys when its module or its kind is in doubt.
    void check_alone(const config::Layer& target,
                     const PlanInherited::Entry& entry,
                     const probes::Kind& kind);
    std::shared_ptr<const probes::Probe> probe(config::Table& table,
                                               const config::Layer& target,
                                               PlanInherited::Entry& entry,
                                               const probes::Kind& kind);
    std::shared_ptr<const probes::Probe> make(const config::Layer& target,
                                              const PlanInherited::Entry& entry,
                                              const probes::Kind& kind);
    std::shared_ptr<const Labels> shared(const std::map<std::string, std::string>& labels);

    struct Made {
        std::shared_ptr<const probes::Probe> probe;
        std::set<std::string> inputs;
    };

    LoadContext& context_;
    PlanInherited& inherited_;
    std::map<Labels, std::shared_ptr<const Labels>> labels_;
    /// By kind, module and the target's own keys as written: thousands of targets that write the
    /// same keys are decoded once.
    std::unordered_map<probes::Digest, Made, probes::DigestHash> made_;
};

}  // namespace sonde::exporter

// Checks of a plan as a whole.
#include "exporter/plan/checks.hpp"

#include "config/document.hpp"
#include "exporter/plan/common_settings.hpp"
#include "probes/measurement.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sonde::exporter {

namespace {

void check_shapes(config::Table& root) {
    root.allow("target");
    (void)root.sub({"modules", ""});
    root.allow("modules");
    if (root.origin("target") && !root.is_list("target")) {
        root.error("target", "targets are a list: write [[target]]");
    }
    root.report_unknown();
}

bool equal(const Job& left, const Job& right) {
    const auto same = [](const auto& a, const auto& b) {
        return a == b || (a && b && *a == *b);
    };
    return left.target.name == right.target.name && left.target.url == right.target.url &&
           left.shown_url == right.shown_url && left.kind == right.kind &&
           same(left.module, right.module) && same(left.labels, right.labels) &&
           left.probe == right.probe && left.interval == right.interval &&
           left.timeout == right.timeout && left.confirmation == right.confirmation;
}

}  // namespace

void check_config_file(config::Table& root) {
    (void)root.sub({"defaults", ""});
    root.allow("defaults");
    check_shapes(root);
}

void check_targets_file(config::Table& root) {
    static constexpr std::array<std::string_view, 5> of_the_config_file{
        "server", "engine", "log", "metrics", "defaults"};
    for (const std::string_view key : of_the_config_file) {
        if (root.origin(key)) {
            root.allow(key);
            root.error(key,
                       "belongs to the config file; a file of targets_dir holds [[target]] and "
                       "[modules] only");
        }
    }
    check_shapes(root);
}

void check_metrics(config::Table& root, const config::Metrics& metrics) {
    std::vector<std::string_view> known;
    for (const probes::FamilyInfo& family : probes::families()) {
        known.push_back(family.name);
    }
    config::Table table = root.sub({"metrics", ""});
    for (const std::string& name : metrics.extra) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            const std::string meant = config::did_you_mean(name, known);
            table.error("extra",
                        "unknown metric family " + config::quoted(name) +
                            (meant.empty() ? "; docs/metrics.md lists them" : ", " + meant));
        }
    }
}

void report_duplicates(std::span<const std::shared_ptr<const PlanFile>> files,
                       config::Diagnostics& diagnostics) {
    struct Place {
        std::size_t hash;
        std::uint32_t file;
        std::uint32_t job;
    };

    // Sixteen bytes for each of a million targets instead of a table of names.
    std::vector<Place> places;
    for (std::uint32_t f = 0; f < files.size(); ++f) {
        for (std::uint32_t j = 0; j < files[f]->jobs.size(); ++j) {
            places.push_back({std::hash<std::string_view>{}(files[f]->jobs[j]->target.name), f, j});
        }
    }
    const auto key = [](const Place& place) {
        return std::tie(place.hash, place.file, place.job);
    };
    std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
        return key(a) < key(b);
    });
    const auto name = [&](const Place& place) -> const std::string& {
        return files[place.file]->jobs[place.job]->target.name;
    };
    for (std::size_t i = 1; i < places.size(); ++i) {
        // Different names with one hash may lie between, so all of that hash are looked through.
        for (std::size_t first = i; first-- > 0 && places[first].hash == places[i].hash;) {
            if (name(places[first]) == name(places[i])) {
                const PlanFile& here = *files[places[i].file];
                const PlanFile& there = *files[places[first].file];
                diagnostics.add({here.label,
                                 here.lines[places[i].job],
                                 config::dotted(config::dotted("target", name(places[i])), "name"),
                                 "this name is used already, at " + there.label + ":" +
                                     std::to_string(there.lines[places[first].job])});
                break;
            }
        }
    }
}

void keep_old_jobs(std::span<const std::shared_ptr<const PlanFile>> old,
                   std::span<const std::shared_ptr<PlanFile>> fresh) {
    std::unordered_map<std::string_view, JobPtr> before;
    for (const auto& file : old) {
        for (const JobPtr& job : file->jobs) {
            before.emplace(job->target.name, job);
        }
    }
    for (const auto& file : fresh) {
        for (JobPtr& job : file->jobs) {
            const auto found = before.find(job->target.name);
            if (found != before.end() && equal(*found->second, *job)) {
                job = found->second;
            }
        }
    }
}

}  // namespace sonde::exporter

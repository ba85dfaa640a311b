// What a reload changes, by name.
#include "exporter/plan/plan.hpp"

#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace sonde::exporter {

PlanDiff diff(const Plan* old, const Plan& now) {
    PlanDiff out;
    // Files that both plans share need no look at their jobs: a reload of a million targets costs
    // what changed.
    std::unordered_set<const PlanFile*> in_both;
    std::unordered_map<std::string_view, JobPtr> before;
    if (old != nullptr) {
        std::unordered_set<const PlanFile*> files_now;
        for (const auto& file : now.parts().files) {
            files_now.insert(file.get());
        }
        for (const auto& file : old->parts().files) {
            if (files_now.contains(file.get())) {
                in_both.insert(file.get());
                out.unchanged += file->jobs.size();
                continue;
            }
            for (const JobPtr& job : file->jobs) {
                before.emplace(job->target.name, job);
            }
        }
    }
    for (const auto& file : now.parts().files) {
        if (in_both.contains(file.get())) {
            continue;
        }
        for (const JobPtr& job : file->jobs) {
            const auto found = before.find(job->target.name);
            if (found == before.end()) {
                out.added.push_back(job);
                continue;
            }
            if (found->second == job) {
                ++out.unchanged;
            } else {
                out.changed.emplace_back(found->second, job);
            }
            before.erase(found);
        }
    }
    for (const auto& [name, job] : before) {
        out.removed.push_back(job);
    }
    return out;
}

}  // namespace sonde::exporter

// Looking into a plan.
#include "exporter/plan/plan.hpp"

#include "exporter/plan/common_settings.hpp"
#include "exporter/plan/target.hpp"

#include <algorithm>

namespace sonde::exporter {

std::size_t Plan::size() const {
    std::size_t out = 0;
    for (const auto& file : parts_.files) {
        out += file->jobs.size();
    }
    return out;
}

void Plan::for_each(const std::function<void(const JobPtr&)>& visit) const {
    for (const auto& file : parts_.files) {
        for (const JobPtr& job : file->jobs) {
            visit(job);
        }
    }
}

std::vector<JobPtr> Plan::jobs() const {
    std::vector<JobPtr> out;
    out.reserve(size());
    for (const auto& file : parts_.files) {
        out.insert(out.end(), file->jobs.begin(), file->jobs.end());
    }
    return out;
}

JobPtr Plan::job_for(std::string_view url, std::string_view module, std::string& error) const {
    const auto found = parts_.inherited.find(module);
    if (found == parts_.inherited.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, inherited] : parts_.inherited) {
            if (!name.empty()) {
                names.push_back(name);
            }
        }
        error = unknown_word("module", module, names);
        return nullptr;
    }
    const Inherited& inherited = found->second;
    const bool has_scheme = url.find("://") != std::string_view::npos;
    std::optional<TargetUrl> target = parse_target_url(config::Text::plain(std::string{url}),
                                                       has_scheme ? nullptr : inherited.kind,
                                                       parts_.kinds,
                                                       error);
    if (!target) {
        return nullptr;
    }
    const auto probe = std::find_if(inherited.probes.begin(),
                                    inherited.probes.end(),
                                    [&](const auto& one) { return one.first == target->kind; });
    if (probe == inherited.probes.end() || !probe->second) {
        error = "the module " + config::quoted(module) + " has no settings for a url of kind " +
                std::string{target->kind->name};
        return nullptr;
    }
    auto job = std::make_shared<Job>();
    job->target.name = target->url.show();
    job->target.url = std::move(target->url);
    job->kind = target->kind->name;
    job->module = inherited.module;
    job->probe = probe->second;
    job->timeout = inherited.timeout;
    return job;
}

}  // namespace sonde::exporter

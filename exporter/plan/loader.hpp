// Reading of configuration files into a Plan: which there are, which changed, in which order. Used
// by load_plan only; what a target means is target's.
#pragma once

#include "exporter/plan/target.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sonde::exporter {

/// Good for one load.
class PlanLoader {
public:
    PlanLoader(std::span<const probes::Kind> kinds,
               std::shared_ptr<const Plan> old,
               std::stop_token stop = {});

    [[nodiscard]] LoadResult load(const std::string& config_file);

    /// The same for a config file whose text is given and whose directory is the working directory.
    [[nodiscard]] LoadResult load_text(std::string_view text);

private:
    struct File {
        std::string path;
        std::string label;
        probes::Digest content{};
        bool failed = false;  // unreadable or no TOML; reported
    };

    LoadResult load_parts(std::string_view text);
    LoadResult finish();
    [[nodiscard]] bool nothing_changed();
    std::optional<std::string> read(File& file);
    std::optional<config::Document> parse(File& file, std::string_view text);
    [[nodiscard]] std::vector<File> list_targets_dir(const std::string& directory,
                                                     config::Diagnostics& diagnostics) const;
    void read_main(config::Document& document);
    void scan(File& file);
    void decode(File& file, std::optional<config::Document> document);
    void decode_targets(const config::Document& document, PlanFile& out);
    [[nodiscard]] std::shared_ptr<const PlanFile> kept(const File& file);
    [[nodiscard]] bool same_inputs(const std::vector<InputFile>& inputs);
    [[nodiscard]] std::vector<InputFile> digests(const std::set<std::string>& paths);

    std::shared_ptr<const Plan> old_;
    std::stop_token stop_;
    config::Inputs inputs_;
    LoadResult result_;
    std::shared_ptr<ProbePool> pool_;
    LoadContext context_;
    PlanInherited inherited_;
    TargetReader targets_;
    Plan::Parts parts_;
    std::vector<std::shared_ptr<PlanFile>>
        fresh_;  // those of parts_.files that were decoded in this load
    File main_;
    std::vector<File> files_;  // of targets_dir
    bool shared_is_old_ = false;
};

}  // namespace sonde::exporter

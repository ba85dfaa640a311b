// Which files there are, which of them changed, and the order in which they are read.
#include "exporter/plan/loader.hpp"

#include "exporter/plan/checks.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace sonde::exporter {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t file_limit = 4ULL << 30U;

/// Of a path as the user gave it, for paths relative to it.
std::string directory_of(const std::string& path) {
    std::error_code ignored;
    return fs::absolute(path, ignored).parent_path().lexically_normal().string();
}

/// Whether parsing the text could give a table `modules`; TOML may write the letters as escapes.
bool may_hold_modules(std::string_view text) {
    return text.find("modules") != std::string_view::npos ||
           text.find("\\u") != std::string_view::npos || text.find("\\U") != std::string_view::npos;
}

}  // namespace

PlanLoader::PlanLoader(std::span<const probes::Kind> kinds,
                       std::shared_ptr<const Plan> old,
                       std::stop_token stop)
    : old_(std::move(old)),
      stop_(std::move(stop)),
      pool_(old_ ? old_->parts().pool : std::make_shared<ProbePool>()),
      context_{kinds, result_.diagnostics, inputs_, *pool_},
      inherited_(context_),
      targets_(context_, inherited_) {
    parts_.kinds = kinds;
    parts_.pool = pool_;
}

LoadResult PlanLoader::load(const std::string& config_file) {
    main_.label = config_file;
    main_.path =
        config::absolute_path(directory_of(config_file), fs::path{config_file}.filename().string());
    result_.watch.push_back(main_.path);
    const std::optional<std::string> text = read(main_);
    if (!text) {
        return std::move(result_);
    }
    if (nothing_changed()) {
        result_.plan = old_;
        return finish();
    }
    return load_parts(*text);
}

LoadResult PlanLoader::load_text(std::string_view text) {
    main_.label = "built-in";
    std::error_code ignored;
    main_.path = (fs::current_path(ignored) / "built-in").string();
    return load_parts(text);
}

LoadResult PlanLoader::load_parts(std::string_view text) {
    std::optional<config::Document> document = parse(main_, text);
    if (!document) {
        return finish();
    }
    read_main(*document);
    for (File& file : files_) {
        scan(file);
    }
    inherited_.check();
    parts_.shared = inherited_.fingerprint();
    shared_is_old_ =
        old_ && old_->parts().shared == parts_.shared && same_inputs(old_->parts().shared_inputs);
    if (shared_is_old_) {
        inherited_.adopt(*old_);
    }
    decode(main_, std::move(document));
    for (File& file : files_) {
        decode(file, std::nullopt);
    }
    inherited_.check_unused();
    report_duplicates(parts_.files, result_.diagnostics);
    return finish();
}

std::optional<std::string> PlanLoader::read(File& file) {
    config::FileContent content = config::read_whole_file(file.path, file_limit);
    if (!content.bytes) {
        file.failed = true;
        result_.diagnostics.add({file.label, 0, "", "cannot read this file: " + content.error});
        return std::nullopt;
    }
    if (stop_.stop_requested()) {
        file.failed = true;
        result_.diagnostics.add({file.label, 0, "", "the load was stopped before this file"});
        return std::nullopt;
    }
    file.content = probes::sha256(*content.bytes);
    return std::move(content.bytes);
}

std::optional<config::Document> PlanLoader::parse(File& file, std::string_view text) {
    std::optional<config::Document> document =
        config::Document::parse(text, {file.label, directory_of(file.path)}, result_.diagnostics);
    file.failed = !document;
    return document;
}

bool PlanLoader::nothing_changed() {
    if (!old_ || old_->parts().files.front()->content != main_.content) {
        return false;
    }
    const Plan::Parts& old = old_->parts();
    config::Diagnostics ignored;
    files_ = list_targets_dir(old.service.engine.targets_dir, ignored);
    if (!ignored.ok() || files_.size() + 1 != old.files.size() || !same_inputs(old.shared_inputs)) {
        return false;
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
        const PlanFile& before = *old.files[i + 1];
        const config::FileContent content = config::read_whole_file(files_[i].path, file_limit);
        if (files_[i].path != before.path || !content.bytes ||
            probes::sha256(*content.bytes) != before.content) {
            return false;
        }
    }
    return std::all_of(old.files.begin(), old.files.end(), [&](const auto& file) {
        return same_inputs(file->inputs);
    });
}

std::vector<PlanLoader::File> PlanLoader::list_targets_dir(const std::string& directory,
                                                           config::Diagnostics& diagnostics) const {
    std::vector<File> out;
    if (directory.empty()) {
        return out;
    }
    // As the user would write it: beside a relative config file, relative too.
    const fs::path below = fs::path{directory}.lexically_relative(directory_of(main_.path));
    const bool relative =
        fs::path{main_.label}.is_relative() && !below.empty() && *below.begin() != "..";
    const fs::path shown =
        relative ? fs::path{main_.label}.parent_path() / below : fs::path{directory};
    std::error_code error;
    for (fs::directory_iterator entry{directory, error};
         !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with('.') && name.ends_with(".toml")) {
            File file;
            file.path = entry->path().string();
            file.label = (shown / name).string();
            out.push_back(std::move(file));
        }
    }
    if (error) {
        diagnostics.add({main_.label,
                         0,
                         "engine.targets_dir",
                         "cannot read " + directory + ": " + error.message()});
    }
    std::sort(out.begin(), out.end(), [](const File& a, const File& b) { return a.path < b.path; });
    return out;
}

void PlanLoader::read_main(config::Document& document) {
    inherited_.take_defaults(document);
    inherited_.take_modules(document);
    config::Context settings = context_.settings();
    config::Table root{settings, {document.root()}};
    parts_.service = config::read_service(root, document.source().directory);
    check_metrics(root, parts_.service.metrics);
    check_config_file(root);
    config::Diagnostics listing;
    const std::string& directory = parts_.service.engine.targets_dir;
    files_ = list_targets_dir(directory, listing);
    if (!listing.ok()) {
        config::Table engine = root.sub({"engine", ""});
        engine.error("targets_dir", listing.all().front().message);
    }
    if (!directory.empty()) {
        result_.watch.push_back(directory);
    }
}

void PlanLoader::scan(File& file) {
    result_.watch.push_back(file.path);
    const std::optional<std::string> text = read(file);
    if (text && may_hold_modules(*text)) {
        if (std::optional<config::Document> document = parse(file, *text)) {
            inherited_.take_modules(*document);
        }
    }
}

void PlanLoader::decode(File& file, std::optional<config::Document> document) {
    if (file.failed) {
        return;
    }
    if (std::shared_ptr<const PlanFile> same = kept(file)) {
        parts_.files.push_back(std::move(same));
        return;
    }
    if (!document) {
        // Read again: the first reading was let go, so that one file at a time is in memory.
        const probes::Digest scanned = file.content;
        const std::optional<std::string> text = read(file);
        if (text && file.content != scanned) {
            result_.diagnostics.add(
                {file.label, 0, "", "this file changed while it was being read; read it again"});
            return;
        }
        document = text ? parse(file, *text) : std::nullopt;
        if (!document) {
            return;
        }
        config::Context settings = context_.settings();
        config::Table root{settings, {document->root()}};
        check_targets_file(root);
    }
    ++result_.files_parsed;
    auto out = std::make_shared<PlanFile>();
    out->path = file.path;
    out->label = file.label;
    out->content = file.content;
    decode_targets(*document, *out);
    fresh_.push_back(out);
    parts_.files.push_back(std::move(out));
}

std::shared_ptr<const PlanFile> PlanLoader::kept(const File& file) {
    if (!shared_is_old_) {
        return nullptr;
    }
    const auto& before = old_->parts().files;
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& one) {
        return one->path == file.path && one->label == file.label && one->content == file.content;
    });
    return same != before.end() && same_inputs((*same)->inputs) ? *same : nullptr;
}

void PlanLoader::decode_targets(const config::Document& document, PlanFile& out) {
    const config::Layer root = document.root();
    const auto targets = config::elements(root, "target");
    if (!targets) {
        return;
    }
    out.jobs.reserve(targets->size());
    out.lines.reserve(targets->size());
    (void)inputs_.take_used();
    for (std::size_t i = 0; i < targets->size(); ++i) {
        const config::Member& target = (*targets)[i];
        if (target.table == nullptr) {
            result_.diagnostics.add({root.source->label,
                                     target.line,
                                     "target[" + std::to_string(i) + "]",
                                     "must be a table, as in [[target]]"});
            continue;
        }
        if (JobPtr job = targets_.read({target.table, root.source, {}, false}, i)) {
            out.jobs.push_back(std::move(job));
            out.lines.push_back(target.line);
        }
    }
    out.inputs = digests(inputs_.take_used());
}

bool PlanLoader::same_inputs(const std::vector<InputFile>& inputs) {
    return std::all_of(inputs.begin(), inputs.end(), [&](const InputFile& input) {
        const config::FileContent& content = inputs_.file(input.path);
        return content.bytes && probes::sha256(*content.bytes) == input.content;
    });
}

std::vector<InputFile> PlanLoader::digests(const std::set<std::string>& paths) {
    std::vector<InputFile> out;
    out.reserve(paths.size());
    for (const std::string& path : paths) {
        result_.watch.push_back(path);
        const config::FileContent& content = inputs_.file(path);
        out.push_back({path, probes::sha256(content.bytes.value_or(std::string{}))});
    }
    return out;
}

LoadResult PlanLoader::finish() {
    parts_.shared_inputs = digests(inherited_.inputs_used());
    if (!result_.plan && result_.diagnostics.ok()) {
        if (old_) {
            keep_old_jobs(old_->parts().files, fresh_);
        }
        parts_.inherited = inherited_.release();
        result_.plan = std::make_shared<const Plan>(std::move(parts_));
        pool_->forget_unused();
    }
    if (result_.plan) {
        // A kept file and a kept plan were not read through to their inputs.
        const Plan::Parts& parts = result_.plan->parts();
        const auto watch = [&](const InputFile& input) {
            result_.watch.push_back(input.path);
        };
        std::for_each(parts.shared_inputs.begin(), parts.shared_inputs.end(), watch);
        for (const auto& file : parts.files) {
            result_.watch.push_back(file->path);
            std::for_each(file->inputs.begin(), file->inputs.end(), watch);
        }
        if (!parts.service.engine.targets_dir.empty()) {
            result_.watch.push_back(parts.service.engine.targets_dir);
        }
    }
    std::sort(result_.watch.begin(), result_.watch.end());
    result_.watch.erase(std::unique(result_.watch.begin(), result_.watch.end()),
                        result_.watch.end());
    return std::move(result_);
}

LoadResult load_plan(const std::string& config_file,
                     std::span<const probes::Kind> kinds,
                     const std::shared_ptr<const Plan>& old,
                     std::stop_token stop) {
    return PlanLoader{kinds, old, std::move(stop)}.load(config_file);
}

std::shared_ptr<const Plan> built_in_plan(std::span<const probes::Kind> kinds) {
    return PlanLoader{kinds, nullptr}.load_text("").plan;
}

}  // namespace sonde::exporter

// Checking and decoding of what targets inherit.
#include "exporter/plan/inherited.hpp"

#include <algorithm>
#include <utility>

namespace sonde::exporter {

PlanInherited::PlanInherited(LoadContext& context) : context_(context) {
    entries_.try_emplace("");
}

void PlanInherited::take_defaults(config::Document& document) {
    defaults_ = document.take("defaults");
    if (defaults_) {
        defaults_layer_ = defaults_->root();
        defaults_layer_.path = "defaults";
    }
}

void PlanInherited::take_modules(config::Document& document) {
    std::optional<config::Document> modules = document.take("modules");
    if (!modules) {
        return;
    }
    const config::Layer all = modules->root();
    for (const config::Member& member : config::members(all)) {
        const std::string path = config::dotted("modules", member.key);
        const auto wrong = [&](std::string message) {
            context_.diagnostics.add({all.source->label, member.line, path, std::move(message)});
        };
        if (member.key.empty()) {
            wrong("a module's name must not be empty");
        } else if (member.table == nullptr) {
            wrong("a module must be a table, as in [modules.api]");
        } else if (const auto found = entries_.find(member.key); found != entries_.end()) {
            const config::Layer& first = *found->second.layer;
            wrong("a module of this name is already at " + first.source->label + ":" +
                  std::to_string(config::line_in(first, "")));
        } else {
            Entry& entry = entries_[std::string{member.key}];
            entry.layer = config::Layer{member.table, all.source, path, false};
            entry.inherited.module = std::make_shared<const std::string>(member.key);
        }
    }
    modules_.push_back(*std::move(modules));
}

void PlanInherited::check() {
    check_defaults();
    for (auto& [name, entry] : entries_) {
        if (entry.layer) {
            check_module(entry);
        }
    }
}

void PlanInherited::check_defaults() {
    Entry& entry = entries_.find("")->second;
    config::Context settings = context_.settings();
    settings.partial = true;
    config::Table table{settings, {defaults_layer_}};
    CommonSettings common;
    read_common(table, common, SettingsPlace::defaults);
    entry.inherited.timeout = common.timeout;
    if (!common.kind.empty() && find_kind(context_.kinds, common.kind) == nullptr) {
        table.error("kind", unknown_kind(context_.kinds, common.kind));
    }
    if (!common.module.empty() && !entries_.contains(common.module)) {
        table.error("module", unknown_word("module", common.module, module_names()));
    }
    entry.kind = common.kind;
    entry.inherited.kind = find_kind(context_.kinds, common.kind);
    // A default may be a key of any kind, so each says which keys it knows before unknown ones are
    // reported.
    for (const probes::Kind& kind : context_.kinds) {
        config::Context silent = settings;
        silent.diagnostics = nullptr;
        config::Table keys{silent, {defaults_layer_}};
        (void)kind.make(keys);
        table.allow_keys_of(keys);
        (void)probe(entry, kind);
    }
    table.report_unknown();
    entry.used = true;
}

void PlanInherited::check_module(Entry& entry) {
    config::Context settings = context_.settings();
    settings.partial = true;
    config::Layer defaults = defaults_layer_;
    defaults.checked = true;
    config::Table table{settings, {*entry.layer, std::move(defaults)}};
    CommonSettings common;
    read_common(table, common, SettingsPlace::module);
    entry.inherited.timeout = common.timeout;
    const bool own_kind = table.origin("kind") == std::size_t{0};
    entry.kind = own_kind ? common.kind : std::string{};
    entry.inherited.kind = find_kind(context_.kinds, entry.kind);
    if (!entry.kind.empty() && entry.inherited.kind == nullptr) {
        table.error("kind", unknown_kind(context_.kinds, entry.kind));
    }
}

void PlanInherited::check_unused() {
    for (auto& [name, entry] : entries_) {
        // A module whose kind is unknown has been reported; what its keys should be cannot be said.
        if (!entry.used && (entry.kind.empty() || entry.inherited.kind != nullptr)) {
            (void)probe(entry,
                        entry.inherited.kind != nullptr ? *entry.inherited.kind
                                                        : standard_kind(context_.kinds));
        }
    }
}

void PlanInherited::adopt(const Plan& old) {
    for (const auto& [name, inherited] : old.parts().inherited) {
        Entry& entry = entries_.find(name)->second;
        entry.inherited = inherited;
        entry.used = true;
    }
    for (const InputFile& input : old.parts().shared_inputs) {
        inputs_used_.insert(input.path);
    }
}

probes::Digest PlanInherited::fingerprint() const {
    std::string text;
    const auto add = [&](const config::Layer& layer) {
        text += std::to_string(layer.path.size()) + ':' + layer.path;
        const std::string directory =
            layer.source == nullptr ? std::string{} : layer.source->directory;
        text += std::to_string(directory.size()) + ':' + directory + config::canonical(layer);
    };
    add(defaults_layer_);
    for (const auto& [name, entry] : entries_) {
        if (entry.layer) {
            add(*entry.layer);
        }
    }
    return probes::sha256(text);
}

PlanInherited::Entry* PlanInherited::find(std::string_view module) {
    const auto found = entries_.find(module);
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> PlanInherited::module_names() const {
    std::vector<std::string_view> out;
    for (const auto& [name, entry] : entries_) {
        if (!name.empty()) {
            out.push_back(name);
        }
    }
    return out;
}

std::vector<config::Layer> PlanInherited::layers(const config::Layer& target,
                                                 const Entry& entry,
                                                 bool checked) const {
    std::vector<config::Layer> out;
    out.reserve(3);
    out.push_back(target);
    out.push_back(entry.layer.value_or(config::Layer{}));
    out.push_back(defaults_layer_);
    out[1].checked = checked;
    out[2].checked = checked;
    return out;
}

std::shared_ptr<const probes::Probe> PlanInherited::probe(Entry& entry, const probes::Kind& kind) {
    entry.used = true;
    auto& known = entry.inherited.probes;
    const auto found = std::find_if(
        known.begin(), known.end(), [&](const auto& one) { return one.first == &kind; });
    if (found != known.end()) {
        return found->second;
    }
    // What is read here belongs to all files, not to the one whose target happened to ask first.
    const std::set<std::string> others = context_.inputs.take_used();
    config::Context settings = context_.settings();
    settings.partial = true;
    std::shared_ptr<const probes::Probe> made;
    if (entry.layer) {
        config::Layer defaults = defaults_layer_;
        defaults.checked = true;
        made = context_.pool.make(
            kind, settings, {*entry.layer, std::move(defaults)}, SettingsPlace::module);
    } else {
        // Keys of other kinds are no errors in [defaults]: an empty first layer has no unknown
        // keys.
        made = context_.pool.make(
            kind, settings, {config::Layer{}, defaults_layer_}, SettingsPlace::defaults);
    }
    inputs_used_.merge(context_.inputs.take_used());
    context_.inputs.note_used(others);
    known.emplace_back(&kind, made);
    return made;
}

std::map<std::string, Inherited, std::less<>> PlanInherited::release() {
    std::map<std::string, Inherited, std::less<>> out;
    for (auto& [name, entry] : entries_) {
        out.emplace(name, std::move(entry.inherited));
    }
    return out;
}

}  // namespace sonde::exporter

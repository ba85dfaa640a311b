// Decoding of one [[target]].
#include "exporter/plan/target.hpp"

#include <algorithm>
#include <utility>

namespace sonde::exporter {

namespace {

/// Lower case, as RFC 3986 section 3.1 compares schemes; empty when `text` has none, as in
/// "shop.example/?to=https://other.example".
std::string scheme_of(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, std::min(text.find("://"), text.size()))) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool letter = upper || (c >= 'a' && c <= 'z');
        if (!letter &&
            (out.empty() || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))) {
            return {};
        }
        out += upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out.size() == text.size() ? std::string{} : out;
}

std::string schemes_text(std::span<const std::string_view> schemes) {
    std::string out;
    for (const std::string_view scheme : schemes) {
        out += out.empty() ? "" : ", ";
        out += scheme;
    }
    return out;
}

std::string no_kind_takes(std::string_view scheme, std::span<const probes::Kind> kinds) {
    std::vector<std::string_view> known;
    for (const probes::Kind& kind : kinds) {
        known.insert(known.end(), kind.schemes.begin(), kind.schemes.end());
    }
    return unknown_word("url scheme", scheme, known);
}

/// What may be shown of a url whose text is a secret: its host, as the path may hold a token as
/// well.
std::string masked(const probes::Url& url) {
    return url.origin() + (url.request_target() == "/" ? "/" : "/<secret>");
}

}  // namespace

std::optional<TargetUrl> parse_target_url(const config::Text& text,
                                          const probes::Kind* kind,
                                          std::span<const probes::Kind> kinds,
                                          std::string& error) {
    const std::string scheme = scheme_of(text.reveal());
    std::string whole = text.reveal();
    if (scheme.empty()) {
        kind = kind != nullptr ? kind : &standard_kind(kinds);
        whole.insert(0, std::string{kind->schemes.front()} + "://");
    } else if (kind == nullptr) {
        kind = kind_of_scheme(kinds, scheme);
        if (kind == nullptr) {
            error = text.is_secret() ? "no kind of probe takes the secret's url"
                                     : no_kind_takes(scheme, kinds);
            return std::nullopt;
        }
    }
    std::string reason;
    std::optional<probes::Url> url = probes::Url::parse(whole, reason);
    if (url) {
        reason = kind->check_url(*url);
        if (reason.empty()) {
            return TargetUrl{kind, *std::move(url)};
        }
    }
    error = text.is_secret()
                ? "the secret does not hold a url that kind " + std::string{kind->name} + " takes"
                : std::move(reason);
    return std::nullopt;
}

std::shared_ptr<const Job> TargetReader::read(config::Layer target, std::size_t index) {
    const std::optional<std::string_view> name = config::plain_string(target, "name");
    target.path = name && !name->empty() ? config::dotted("target", *name)
                                         : "target[" + std::to_string(index) + "]";
    std::optional<std::string_view> module = config::plain_string(target, "module");
    if (!module && !config::removes(target, "module")) {
        module = config::plain_string(inherited_.defaults(), "module");
    }
    PlanInherited::Entry* const known = inherited_.find(module.value_or(""));
    PlanInherited::Entry& entry = known != nullptr ? *known : *inherited_.find("");
    const auto place = known != nullptr ? SettingsPlace::target : SettingsPlace::lone_target;
    const std::size_t errors = context_.diagnostics.all().size();
    config::Context settings = context_.settings();
    config::Table table{settings, inherited_.layers(target, entry)};
    CommonSettings common;
    read_common(table, common, place);
    if (known == nullptr) {
        table.error("module", unknown_word("module", *module, inherited_.module_names()));
    }
    const probes::Kind* named = kind_named(table, common, entry);
    std::shared_ptr<Job> job = build(table, common, entry, named);
    const probes::Kind* kind = kind_of(common, named);
    if (known == nullptr || kind == nullptr) {
        check_alone(target, entry, kind != nullptr ? *kind : likely_kind(common));
        return nullptr;
    }
    std::shared_ptr<const probes::Probe> made = probe(table, target, entry, *kind);
    if (!job || !made || context_.diagnostics.all().size() != errors) {
        return nullptr;
    }
    job->probe = std::move(made);
    return job;
}

std::shared_ptr<Job> TargetReader::build(config::Table& table,
                                         const CommonSettings& settings,
                                         const PlanInherited::Entry& entry,
                                         const probes::Kind* named) {
    if (settings.url.reveal().empty()) {
        return nullptr;
    }
    std::string error;
    std::optional<TargetUrl> url = parse_target_url(settings.url, named, context_.kinds, error);
    if (!url) {
        table.error("url", std::move(error));
        return nullptr;
    }
    if (settings.url.is_secret() && settings.name.empty()) {
        table.error("url", "a target whose url is a secret needs a name");
        return nullptr;
    }
    auto job = std::make_shared<Job>();
    job->target.name = settings.name.empty() ? url->url.show() : settings.name;
    if (settings.url.is_secret()) {
        job->shown_url = masked(url->url);
    }
    job->target.url = std::move(url->url);
    job->kind = url->kind->name;
    job->module = entry.inherited.module;
    job->labels = shared(settings.labels);
    job->interval = settings.interval;
    job->timeout = settings.timeout;
    job->confirmation = settings.confirmation;
    return job;
}

const probes::Kind* TargetReader::kind_named(config::Table& table,
                                             const CommonSettings& settings,
                                             const PlanInherited::Entry& entry) {
    if (settings.kind.empty()) {
        return nullptr;
    }
    const probes::Kind* kind = find_kind(context_.kinds, settings.kind);
    if (kind == nullptr) {
        table.error("kind", unknown_kind(context_.kinds, settings.kind));
        return nullptr;
    }
    const std::string scheme = scheme_of(settings.url.reveal());
    if (scheme.empty() || takes_scheme(*kind, scheme)) {
        return kind;
    }
    const std::size_t from = table.origin("kind").value_or(0);
    const std::string takes = "kind " + std::string{kind->name} + ", which takes " +
                              schemes_text(kind->schemes) + " urls";
    if (from == 0) {
        table.error("kind", "the url does not fit " + takes);
    } else if (from == 1) {
        table.error("module",
                    "the url does not fit the module " + config::quoted(*entry.inherited.module) +
                        " of " + takes);
    }
    return nullptr;  // a kind from [defaults] is only for urls that have no scheme
}

const probes::Kind* TargetReader::kind_of(const CommonSettings& settings,
                                          const probes::Kind* named) const {
    const std::string scheme = scheme_of(settings.url.reveal());
    if (named != nullptr || !scheme.empty()) {
        return named != nullptr ? named : kind_of_scheme(context_.kinds, scheme);
    }
    const bool only_a_host = settings.kind.empty() && !settings.url.reveal().empty();
    return only_a_host ? &standard_kind(context_.kinds) : nullptr;
}

const probes::Kind& TargetReader::likely_kind(const CommonSettings& settings) const {
    const probes::Kind* kind = find_kind(context_.kinds, settings.kind);
    return kind != nullptr ? *kind : standard_kind(context_.kinds);
}

void TargetReader::check_alone(const config::Layer& target,
                               const PlanInherited::Entry& entry,
                               const probes::Kind& kind) {
    config::Context settings = context_.settings();
    settings.partial = true;
    (void)context_.pool.make(
        kind, settings, inherited_.layers(target, entry), SettingsPlace::target);
}

std::shared_ptr<const probes::Probe> TargetReader::probe(config::Table& table,
                                                         const config::Layer& target,
                                                         PlanInherited::Entry& entry,
                                                         const probes::Kind& kind) {
    const std::string own = table.unread();
    std::shared_ptr<const probes::Probe> inherited = inherited_.probe(entry, kind);
    if (own.empty() && inherited) {
        return inherited;
    }
    std::string key{kind.name};
    key += '\0';
    key += entry.inherited.module ? *entry.inherited.module : std::string{};
    key += '\0';
    key += target.source->directory;
    key += '\0';
    const probes::Digest digest = probes::sha256(key + own);
    if (const auto found = made_.find(digest); found != made_.end()) {
        context_.inputs.note_used(found->second.inputs);
        return found->second.probe;
    }
    const std::size_t errors = context_.diagnostics.all().size();
    const std::set<std::string> before = context_.inputs.take_used();
    std::shared_ptr<const probes::Probe> made = make(target, entry, kind);
    std::set<std::string> used = context_.inputs.take_used();
    context_.inputs.note_used(before);
    context_.inputs.note_used(used);
    // Every target with the same mistake is named.
    if (made && context_.diagnostics.all().size() == errors) {
        made_.emplace(digest, Made{made, std::move(used)});
    }
    return made;
}

std::shared_ptr<const probes::Probe> TargetReader::make(const config::Layer& target,
                                                        const PlanInherited::Entry& entry,
                                                        const probes::Kind& kind) {
    const std::size_t errors = context_.diagnostics.all().size();
    std::shared_ptr<const probes::Probe> made = context_.pool.make(
        kind, context_.settings(), inherited_.layers(target, entry), SettingsPlace::target);
    const auto complained = [&] {
        return context_.diagnostics.all().size() != errors;
    };
    const auto probe_of_layers = [&](const auto& one) {
        return one.first == &kind && one.second;
    };
    const auto& probes = entry.inherited.probes;
    if (!made && !complained() && std::any_of(probes.begin(), probes.end(), probe_of_layers)) {
        // Keys that are right on their own do not fit together: say it where they stand, inherited
        // or not.
        made = context_.pool.make(kind,
                                  context_.settings(),
                                  inherited_.layers(target, entry, false),
                                  SettingsPlace::target);
    }
    if (!made && context_.diagnostics.ok()) {
        context_.diagnostics.add(
            {target.source->label,
             config::line_in(target, ""),
             target.path,
             "these settings do not fit together with what the target inherits"});
    }
    return made;
}

std::shared_ptr<const Labels> TargetReader::shared(
    const std::map<std::string, std::string>& labels) {
    if (labels.empty()) {
        return nullptr;
    }
    Labels sorted(labels.begin(), labels.end());
    const auto found = labels_.find(sorted);
    if (found != labels_.end()) {
        return found->second;
    }
    auto made = std::make_shared<const Labels>(sorted);
    labels_.emplace(std::move(sorted), made);
    return made;
}

}  // namespace sonde::exporter

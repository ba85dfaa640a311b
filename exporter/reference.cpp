// Markdown of docs/config.md and docs/metrics.md.
#include "exporter/reference.hpp"

#include "config/service.hpp"
#include "exporter/plan/common_settings.hpp"

#include <string_view>
#include <vector>

namespace sonde::exporter {

namespace {

constexpr std::string_view config_intro = R"(# Configuration

<!-- Made by `sonde_reference config` from the code that reads the configuration; a test compares the two. -->

Sonde reads one TOML file (`--config.file`) and, when `[engine] targets_dir` names a directory, every `*.toml` in it
that is not hidden. The config file may hold all tables below; the files of `targets_dir` hold `[[target]]` and
`[modules]` only. An unknown key, a wrong type or a value out of range is an error: all errors of all files are reported
at once, each with its file, line and key, and nothing is started (or, on a reload, nothing changes).

* **Durations** are `"500ms"`, `"30s"`, `"1m30s"`, `"2h"`, `"1d"`: whole numbers, the largest unit first.
* **Sizes** are bytes, `65536`, or `"64MiB"` (`kB MB GB KiB MiB GiB`).
* **Secrets**: where the type says so, a string may be `{ file = "path" }` (one newline at the end is dropped) or
  `{ env = "NAME" }`. Such a value is shown nowhere: no log, page, metric or error holds it.
* **Relative paths** start at the directory of the file that names them.
* **Precedence**: `[[target]]` over its `[modules.NAME]` over `[defaults]` over what is built in. Tables are merged key
  by key, lists replace each other, and `false` removes an inherited key.

)";

constexpr std::string_view target_intro =
    R"(## Targets: `[[target]]`, `[modules.NAME]` and `[defaults]`

A `[[target]]` is one thing to check. `[modules.NAME]` is a named set of keys for targets to share (`module = "NAME"`),
and `[defaults]` holds keys for all of them. `name` and `url` belong to a `[[target]]` only, `module` to a `[[target]]`
or `[defaults]`. A module may name its `kind`. These keys are the same for every kind of probe:

)";

constexpr std::string_view metrics_intro = R"(# Metrics

<!-- Made by `sonde_reference metrics` from the catalogue in the code; a test compares the two. -->

What was not measured is absent: there are no zeros or NaN in its place. The series of a target that was removed vanish
at the next scrape. Families marked *extra* are exported when `[metrics] extra` names them.

## For every target

All of them have the label `target` (the target's name) and the labels that its configuration gives it.

| metric | type | more labels | unit | set | meaning |
|---|---|---|---|---|---|
)";

constexpr std::string_view reasons_intro = R"(
## Why a check failed

The `reason` of `probe_failures_total` and `probe_failure_info`. Reasons of probes that this version does not have do
not occur.

| reason | meaning |
|---|---|
)";

constexpr std::string_view own_intro = R"(
## The program itself

| metric | type | labels | meaning |
|---|---|---|---|
)";

/// A `|` would end the cell, also inside of code.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '|' ? std::string{"\\|"} : std::string{c == '\n' ? ' ' : c};
    }
    return out;
}

std::string code(std::string_view text) {
    return text.empty() ? std::string{} : "`" + cell(text) + "`";
}

void write_keys(const std::vector<config::KeyDoc>& docs, std::string& out) {
    out += "| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const config::KeyDoc& doc : docs) {
        if (doc.type != "table") {
            out += "| " + code(doc.path) + " | " + cell(doc.type) + " | " +
                   code(doc.default_value) + " | " + cell(doc.help) + " |\n";
        }
    }
    out += '\n';
}

void write_service(std::string& out) {
    std::vector<config::KeyDoc> docs;
    config::Context context;
    context.docs = &docs;
    config::Table root{context, {}};
    (void)config::read_service(root, {});
    std::vector<config::KeyDoc> keys;
    const auto flush = [&] {
        if (!keys.empty()) {
            write_keys(keys, out);
            keys.clear();
        }
    };
    for (config::KeyDoc& doc : docs) {
        if (doc.type == "table") {
            flush();
            out += "## `[" + doc.path + "]`\n\n" + doc.help + "\n\n";
            continue;
        }
        doc.path.erase(0, doc.path.find('.') + 1);
        keys.push_back(std::move(doc));
    }
    flush();
}

std::string_view type_name(probes::MetricType type) {
    switch (type) {
        case probes::MetricType::gauge:
            return "gauge";
        case probes::MetricType::counter:
            return "counter";
        case probes::MetricType::histogram:
            break;
    }
    return "histogram";
}

std::string label_list(std::span<const std::string_view> labels) {
    std::string out;
    for (const std::string_view label : labels) {
        out += (out.empty() ? "" : " ") + code(label);
    }
    return out;
}

}  // namespace

std::string config_reference(std::span<const probes::Kind> kinds) {
    std::string out{config_intro};
    write_service(out);
    out += target_intro;
    std::vector<config::KeyDoc> docs;
    config::Context context;
    context.docs = &docs;
    config::Table common{context, {}};
    CommonSettings settings;
    read_common(common, settings, SettingsPlace::target);
    write_keys(docs, out);
    for (const probes::Kind& kind : kinds) {
        out += "### Kind `" + std::string{kind.name} + "`\n\n" + std::string{kind.help} +
               " Chosen by the url schemes " + label_list(kind.schemes) + ".\n\n";
        docs.clear();
        config::Table table{context, {}};
        (void)kind.make(table);
        write_keys(docs, out);
    }
    out.pop_back();  // the empty line after the last table
    return out;
}

std::string metrics_reference(std::span<const probes::FamilyInfo> families,
                              std::span<const SelfMetricDoc> own) {
    std::string out{metrics_intro};
    for (const probes::FamilyInfo& family : families) {
        out += "| " + code(family.name) + " | " + std::string{type_name(family.type)} + " | " +
               label_list(family.labels) + " | " + std::string{family.unit} + " | " +
               (family.extra ? "*extra*" : "default") + " | " + cell(family.help) + " |\n";
    }
    out += reasons_intro;
    for (int i = 1; i < static_cast<int>(probes::Failure::count); ++i) {
        const auto failure = static_cast<probes::Failure>(i);
        out += "| " + code(name(failure)) + " | " + cell(help(failure)) + " |\n";
    }
    out += own_intro;
    for (const SelfMetricDoc& metric : own) {
        out += "| " + code(metric.name) + " | " + std::string{metric.type} + " | " +
               code(metric.labels) + " | " + cell(metric.help) + " |\n";
    }
    return out;
}

}  // namespace sonde::exporter

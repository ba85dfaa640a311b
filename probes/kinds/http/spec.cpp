#include "probes/kinds/http/spec.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace sonde::probes::http {

namespace {

using config::Bytes;
using config::Table;
using config::Text;

void read_status(Table& table, Spec& spec, bool& good) {
    table.each({"status",
                "Status codes that count as success: `\"2xx\"`, `\"200-299\"` or `404`. "
                "Default: `[\"2xx\"]`."},
               "string or integer",
               [&](const config::Value& item) {
                   std::string error = "must be a string like \"2xx\" or \"200-299\", or a number";
                   bool added = false;
                   if (const auto code = item.integer()) {
                       added = spec.status.add(*code, error);
                   } else if (const auto text = item.string()) {
                       added = spec.status.add(*text, error);
                   }
                   if (!added) {
                       item.error(error);
                       good = false;
                   }
               });
    if (spec.status.empty() && good) {
        std::string unused;
        spec.status.add("2xx", unused);
    }
}

constexpr std::string_view secret_pattern_form =
    "a secret pattern is written { name = \"...\", pattern = { file = \"...\" } }";

bool read_pattern_table(const config::Value& item,
                        Table& table,
                        wire::PatternSpec& spec,
                        Text& pattern) {
    if (!table.origin("pattern") && (table.origin("file") || table.origin("env"))) {
        item.error(std::string{secret_pattern_form});
        return false;
    }
    std::string expect = "present";
    static constexpr std::array<std::string_view, 2> words{"present", "absent"};
    const bool has_pattern = table.read({"pattern", "RE2 syntax."}, pattern);
    const bool has_name = table.read({"name", "For the labels; default: the pattern."}, spec.name);
    table.read_word({"expect", "`present` or `absent`."}, expect, words);
    table.report_unknown();
    spec.expect_present = expect == "present";
    if (!table.origin("pattern")) {
        item.error("`pattern` is missing");
    }
    const bool nameless = pattern.is_secret() && spec.name.empty();
    if (nameless && (has_name || !table.origin("name"))) {
        item.error("needs a name, which the labels show: " + std::string{secret_pattern_form});
    }
    return has_pattern && !nameless;
}

/// RE2's words quote the pattern.
bool check_pattern(const config::Value& item, const Text& pattern) {
    const auto error = wire::PatternSet::check(pattern.reveal());
    if (error) {
        item.error(pattern.is_secret() ? "the secret does not hold a pattern that compiles (RE2)"
                                       : "the pattern does not compile (RE2): " + error->what);
    }
    return !error;
}

bool read_pattern(const config::Value& item, wire::PatternSpec& spec) {
    Text pattern;
    if (const auto text = item.string()) {
        pattern = Text::plain(*text);
    } else if (auto table = item.table()) {
        if (!read_pattern_table(item, *table, spec, pattern)) {
            return false;
        }
    } else {
        item.error(
            "must be a string, or a table like { name = \"no_error\", pattern = \"...\", expect = "
            "\"absent\" }");
        return false;
    }
    spec.pattern = pattern.reveal();
    return check_pattern(item, pattern);
}

/// What is wrong with the name that labels will show, beside those of the patterns before.
std::string problem_of_label(const wire::PatternSpec& pattern,
                             const std::vector<wire::PatternSpec>& before) {
    const std::string label = wire::PatternSet::label(pattern);
    if (label.empty()) {
        return "an empty pattern is found in every body";
    }
    if (label == status_expectation) {
        return "\"" + label +
               "\" is the name of the expectation on the status code; give the pattern another "
               "name";
    }
    const auto has_label = [&](const wire::PatternSpec& other) {
        return wire::PatternSet::label(other) == label;
    };
    if (std::ranges::none_of(before, has_label)) {
        return {};
    }
    const bool cut = label.size() < pattern.pattern.size();
    return "a second pattern is named \"" + label + "\"; " +
           (pattern.name.empty() && cut ? "give long patterns a name" : "names must differ");
}

void read_patterns(Table& table, Spec& spec, bool& good) {
    std::vector<wire::PatternSpec> patterns;
    table.each({"regex",
                "Patterns (RE2 syntax) that the body is searched for, each with its own "
                "`probe_regex_match`: a string, or `{ name, pattern, expect = \"present\" | "
                "\"absent\" }`, where `pattern` may be a secret."},
               "string or table",
               [&](const config::Value& item) {
                   wire::PatternSpec pattern;
                   if (!read_pattern(item, pattern)) {
                       good = false;
                       return;
                   }
                   const std::string problem = problem_of_label(pattern, patterns);
                   if (!problem.empty()) {
                       item.error(problem);
                       good = false;
                       return;
                   }
                   patterns.push_back(std::move(pattern));
               });
    if (good && !patterns.empty() && !table.documenting()) {
        wire::PatternError error;
        spec.patterns = wire::PatternSet::compile(std::move(patterns), error);
        if (!spec.patterns) {
            // RE2's words, which may quote a secret, were told when each pattern was checked.
            table.error("regex",
                        "pattern " + std::to_string(error.index + 1) + " does not compile");
            good = false;
        }
    }
}

void read_reading(Table& table, Spec& spec, bool& good) {
    std::int64_t most = spec.max_redirects;
    table.read({"redirects",
                "Whether redirects are followed. The status is judged on the final response."},
               spec.follow_redirects);
    good = table.read({"max_redirects", "How many redirects are followed; one more is a failure."},
                      most,
                      0,
                      50)
               ? good
               : good && !table.origin("max_redirects");
    spec.max_redirects = static_cast<unsigned>(most);
    std::string read = "all";
    static constexpr std::array<std::string_view, 2> words{"all", "until_decided"};
    table.read_word(
        {"read", "`all` reads the whole body; `until_decided` stops when every verdict is known."},
        read,
        words);
    spec.until_decided = read == "until_decided";
    Bytes max_body{spec.max_body};
    table.read({"max_body",
                "The largest body (decoded) that is still good; a larger one is `body_too_large`."},
               max_body,
               Bytes{0},
               Bytes{std::uint64_t{1} << 40});
    spec.max_body = max_body.count;
}

void read_tls(Table& table, Spec& spec, bool& good) {
    Table tls = table.sub({"tls", "How the server's certificate is checked."});
    Text path;
    net::TlsSettings settings;
    const bool has_ca =
        tls.read_file({"ca_file", "PEM file of the certificates to trust instead of the system's."},
                      path,
                      settings.ca_pem);
    tls.read(
        {"server_name", "Name for SNI and for the certificate's check; default: the url's host."},
        spec.server_name);
    tls.read({"insecure_skip_verify",
              "Goes on with a certificate that does not verify; the TLS metrics still say so."},
             spec.insecure_skip_verify);
    if (table.documenting() || (tls.origin("ca_file") && !has_ca)) {
        return;
    }
    if (has_ca && settings.ca_pem.empty()) {
        tls.error("ca_file",
                  std::string{path.show()} + ": the file is empty; it must hold PEM blocks");
        good = false;
        return;
    }
    std::string error;
    spec.tls = net::TlsContext::make(settings, error);
    if (!spec.tls) {
        tls.error("ca_file", std::string{path.show()} + ": " + error);
        good = false;
    }
}

}  // namespace

std::shared_ptr<const Spec> read_spec(Table& table) {
    auto spec = std::make_shared<Spec>();
    bool good = true;
    good = read_request_spec(table, spec->request);
    read_status(table, *spec, good);
    read_patterns(table, *spec, good);
    read_reading(table, *spec, good);
    read_tls(table, *spec, good);
    return good && spec->tls ? spec : nullptr;
}

}  // namespace sonde::probes::http

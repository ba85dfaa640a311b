// Reading (and documenting) of what an http check expects.
#include "probes/kinds/http/expectations.hpp"

#include "probes/kinds/http/field_text.hpp"
#include "probes/url_text.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <utility>

namespace sonde::probes::http {

namespace {

using config::Bytes;
using config::Table;
using config::Text;

using Names = ExpectationNames;

constexpr std::array<std::string_view, static_cast<std::size_t>(Expected::count)> names{
    "status",
    "http_version",
    "content_encoding",
    "final_url",
    "min_body",
    "tls_version",
    "tls_cipher",
    "min_cert_validity",
    "max_rtt",
    "max_resolve",
    "max_connect",
    "max_tls",
    "max_processing",
    "max_transfer"};
static_assert(!names.back().empty());

Names built_in_names() {
    Names taken;
    for (const std::string_view name : names) {
        taken.emplace(
            name, name == "status" ? "the expectation on the status code" : "another expectation");
    }
    return taken;
}

void read_status(Table& table, Expectations& spec, bool& good) {
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

/// What is wrong with the name that labels will show, beside those that are taken.
std::string problem_of_label(const wire::PatternSpec& pattern, const Names& taken) {
    const std::string label = wire::PatternSet::label(pattern);
    if (label.empty()) {
        return "an empty pattern is found in every body";
    }
    const auto found = taken.find(label);
    if (found == taken.end()) {
        return {};
    }
    if (found->second != "pattern") {
        return "\"" + label + "\" is the name of " + found->second +
               "; give the pattern another name";
    }
    const bool cut = label.size() < pattern.pattern.size();
    return "a second pattern is named \"" + label + "\"; " +
           (pattern.name.empty() && cut ? "give long patterns a name" : "names must differ");
}

void read_patterns(Table& table, Expectations& spec, Names& taken, bool& good) {
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
                   const std::string problem = problem_of_label(pattern, taken);
                   if (!problem.empty()) {
                       item.error(problem);
                       good = false;
                       return;
                   }
                   taken.emplace(wire::PatternSet::label(pattern), "pattern");
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

/// The keys of { header = "Content-Type", pattern = "^text/", expect = "present", name = "type" }.
bool read_header_table(Table& table, HeaderExpectation& header, std::string& name) {
    std::string pattern;
    std::string expect = "present";
    static constexpr std::array<std::string_view, 2> words{"present", "absent"};
    const bool has_field = table.read({"header", "Name of the header field."}, header.field);
    const bool has_pattern = table.read(
        {"pattern", "RE2 syntax, searched for in each value; default: any value."}, pattern);
    const bool has_name = table.read({"name", "For the labels; default: the field's."}, name);
    const bool has_word = table.read_word({"expect", "`present` or `absent`."}, expect, words);
    table.report_unknown();
    bool good = (has_pattern || !table.origin("pattern")) && (has_name || !table.origin("name")) &&
                (has_word || !table.origin("expect"));
    header.present = expect == "present";
    if (!has_field) {
        if (!table.origin("header")) {
            table.error("header", "`header`, the name of a header field, is missing");
        }
        return false;
    }
    if (has_pattern) {
        std::string error;
        header.pattern = compile_pattern(pattern, error);
        if (!header.pattern) {
            table.error("pattern", error);
            good = false;
        }
    }
    return good;
}

bool read_header(const config::Value& item, Names& taken, HeaderExpectation& header) {
    std::string name;
    if (const auto text = item.string()) {
        header.field = *text;
    } else if (auto table = item.table()) {
        if (!read_header_table(*table, header, name)) {
            return false;
        }
    } else {
        item.error(
            "must be the name of a header field, or a table like { header = "
            "\"Content-Type\", pattern = \"^text/html\" }");
        return false;
    }
    if (!is_token(header.field)) {
        item.error("\"" + header.field +
                   "\" is no name of a header field (RFC 9110: letters, digits and -)");
        return false;
    }
    header.lower_field = url_lower(header.field);
    name = name.empty() ? header.field : name;
    if (!taken.emplace(name, "another expectation").second) {
        item.error("a second expectation is named \"" + name + "\"; names must differ");
        return false;
    }
    header.label = std::make_shared<const std::vector<std::string>>(1, name);
    return true;
}

void read_expected_headers(Table& table, Expectations& spec, Names& taken, bool& good) {
    table.each(
        {"expect_headers",
         "What the final response's header has: the name of a field, or `{ header, pattern, "
         "expect = \"present\" | \"absent\", name }`. `present`: a value matches the pattern "
         "(RE2, any value without one); `absent`: none does."},
        "string or table",
        [&](const config::Value& item) {
            HeaderExpectation header;
            if (read_header(item, taken, header)) {
                spec.headers.push_back(std::move(header));
            } else {
                good = false;
            }
        });
}

void read_words(Table& table,
                config::Key key,
                std::span<const std::string_view> known,
                std::vector<std::string>& words,
                bool& good) {
    good = (table.read(key, words) || !table.origin(key.name)) && good;
    for (const std::string& word : words) {
        if (std::ranges::find(known, word) == known.end()) {
            std::string list;
            for (const std::string_view each : known) {
                list += (list.empty() ? "\"" : ", \"") + std::string{each} + "\"";
            }
            table.error(key.name, "\"" + word + "\" is none of " + list);
            good = false;
        }
    }
}

void read_answer(Table& table, Expectations& spec, bool& good) {
    static constexpr std::array<std::string_view, 3> versions{"1.0", "1.1", "2"};
    read_words(
        table,
        {"http_versions", "HTTP versions of the final response that are good; default: any."},
        versions,
        spec.http_versions,
        good);
    static constexpr std::array<std::string_view, 5> codings{
        "identity", "gzip", "deflate", "br", "zstd"};
    read_words(table,
               {"content_encodings",
                "Content codings of the final response that are good, and the only ones that are "
                "asked for; default: any of `identity`, `gzip`, `deflate`, `br`, `zstd`."},
               codings,
               spec.content_encodings,
               good);
    std::string url;
    if (table.read({"final_url",
                    "Pattern (RE2 syntax) that is searched for in the url of the final response, "
                    "after redirects; default: any."},
                   url)) {
        std::string error;
        spec.final_url = compile_pattern(url, error);
        if (!spec.final_url) {
            table.error("final_url", error);
            good = false;
        }
    } else if (table.origin("final_url")) {
        good = false;
    }
    Bytes least{0};
    table.read({"min_body", "The smallest body (decoded) that is good."},
               least,
               Bytes{0},
               Bytes{std::uint64_t{1} << 40});
    spec.min_body = least.count;
}

void read_certificate_and_tls(Table& table, Table& tls, Expectations& spec, bool& good) {
    read_words(tls,
               {"expect_versions", "TLS versions that are good; default: any."},
               tls_version_words,
               spec.tls_versions,
               good);
    tls.read({"expect_ciphers",
              "Cipher suites that are good, as OpenSSL names them (`TLS_AES_128_GCM_SHA256`); "
              "default: any."},
             spec.tls_ciphers);
    constexpr std::chrono::hours ten_years{24 * 3650};
    table.read({"min_cert_validity",
                "How long every certificate that the server sent must still be valid; `0s`: not "
                "judged. (One that has expired does not verify.)"},
               spec.min_cert_validity,
               Duration::zero(),
               ten_years);
}

void read_times(Table& table, Expectations& spec) {
    constexpr std::chrono::hours most{24};
    table.read(
        {"max_rtt", "The longest round-trip time (`probe_rtt_seconds`) that is good; `0s`: any."},
        spec.max_rtt,
        Duration::zero(),
        most);
    Table phases = table.sub({"max_phase",
                              "The longest time that is good for a phase, summed over redirects; "
                              "`0s`: any."});
    const auto read = [&](Phase phase, std::string_view help) {
        phases.read({name(phase), help},
                    spec.max_phase[static_cast<std::size_t>(phase)],
                    Duration::zero(),
                    most);
    };
    read(Phase::resolve, "Name lookup.");
    read(Phase::connect, "TCP connection.");
    read(Phase::tls, "TLS handshake.");
    read(Phase::processing, "From the request to the first byte of the response.");
    read(Phase::transfer, "From the first byte to the last.");
}

}  // namespace

std::shared_ptr<const re2::RE2> compile_pattern(const std::string& pattern, std::string& error) {
    RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<const RE2>(pattern, options);
    if (!compiled->ok()) {
        error = "the pattern does not compile (RE2): " + compiled->error();
        return nullptr;
    }
    return compiled;
}

const LabelValues& label(Expected expected) {
    static const auto labels = [] {
        std::array<LabelValues, names.size()> made;
        std::ranges::transform(names, made.begin(), [](std::string_view name) {
            return std::make_shared<const std::vector<std::string>>(1, std::string{name});
        });
        return made;
    }();
    return labels[static_cast<std::size_t>(expected)];
}

bool read_expectations(Table& table,
                       Table& tls,
                       Expectations& expectations,
                       ExpectationNames& taken) {
    bool good = true;
    taken = built_in_names();
    read_status(table, expectations, good);
    read_expected_headers(table, expectations, taken, good);
    read_patterns(table, expectations, taken, good);
    read_answer(table, expectations, good);
    read_certificate_and_tls(table, tls, expectations, good);
    read_times(table, expectations);
    return good;
}

}  // namespace sonde::probes::http

#include "probes/kinds/http/content_spec.hpp"

#include "probes/kinds/http/field_text.hpp"
#include "probes/url_text.hpp"
#include "probes/wire/patterns.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace sonde::probes::http {

namespace {

using config::Bytes;
using config::Table;

/// Each is a series, or several over time.
constexpr std::size_t most_extractions = 64;
/// Each may take some tenths of a second with the worst body.
constexpr std::size_t most_json = 16;

using Label = std::shared_ptr<const std::vector<std::string>>;

Label label_of(const std::string& name) {
    return std::make_shared<const std::vector<std::string>>(1, name);
}

std::shared_ptr<const wire::cel::Expression> compile(const std::string& text, std::string& error) {
    wire::cel::CompileError problem;
    auto made = wire::cel::Expression::compile(text, {"body"}, problem);
    if (!made) {
        error = "the expression does not compile (CEL), at character " +
                std::to_string(problem.position + 1) + ": " + problem.what;
    }
    return made;
}

struct JsonKeys {
    std::string name;
    std::string expression;
    std::string expect = "true";
};

bool read_json_table(Table& table, JsonKeys& keys) {
    static constexpr std::array<std::string_view, 2> words{"true", "false"};
    const bool has_expression =
        table.read({"expression", "CEL over `body`, of type bool."}, keys.expression);
    table.read({"name", "For the labels; default: the expression."}, keys.name);
    table.read_word({"expect", "`true` or `false`."}, keys.expect, words);
    table.report_unknown();
    if (!has_expression && !table.origin("expression")) {
        table.error("expression", "`expression` is missing");
    }
    return has_expression;
}

bool read_json(const config::Value& item, ExpectationNames& taken, JsonExpectation& json) {
    JsonKeys keys;
    if (const auto text = item.string()) {
        keys.expression = *text;
    } else if (auto table = item.table()) {
        if (!read_json_table(*table, keys)) {
            return false;
        }
    } else {
        item.error(
            "must be a string, or a table like { name = \"status\", expression = \"body.status == "
            "'ok'\" }");
        return false;
    }
    std::string error;
    json.expression = compile(keys.expression, error);
    if (!json.expression) {
        item.error(error);
        return false;
    }
    json.holds = keys.expect == "true";
    const std::string name =
        wire::PatternSet::label({.name = keys.name, .pattern = keys.expression});
    if (!taken.emplace(name, "another expectation").second) {
        item.error("a second expectation is named \"" + name + "\"; names must differ");
        return false;
    }
    json.label = label_of(name);
    return true;
}

struct ExtractionKeys {
    std::string name;
    std::string header;
    std::string regex;
    std::string json;
    std::string as = "value";
};

bool read_extraction_table(Table& table, ExtractionKeys& keys) {
    static constexpr std::array<std::string_view, 2> words{"value", "info"};
    const auto read = [&table](config::Key key, std::string& value) {
        return table.read(key, value) || !table.origin(key.name);
    };
    bool good = read({"name",
                      "For the labels; without it each named group of `regex` is taken under its "
                      "own name."},
                     keys.name);
    good = read({"header", "The header field to take it from; default: the body."}, keys.header) &&
           good;
    good = read({"regex", "Pattern (RE2 syntax) whose first group, or whole match, is taken."},
                keys.regex) &&
           good;
    good = read({"json", "CEL over `body`, which is JSON."}, keys.json) && good;
    table.read_word({"as",
                     "`value`: a number, for `probe_extracted_value`; `info`: a text (at most 128 "
                     "bytes), for `probe_extracted_info`."},
                    keys.as,
                    words);
    table.report_unknown();
    if (good && !keys.json.empty() && (!keys.regex.empty() || !keys.header.empty())) {
        table.error("json", "stands alone, without `regex` and `header`");
        return false;
    }
    if (good && keys.json.empty() && keys.regex.empty() && keys.header.empty()) {
        table.error("regex", "one of `json`, `regex` and `header` says what is taken");
        return false;
    }
    return good;
}

/// The names and groups under which the matches of a pattern are taken.
std::map<std::string, int> groups_of(const re2::RE2& pattern, const std::string& name) {
    if (!name.empty()) {
        return {{name, pattern.NumberOfCapturingGroups() > 0 ? 1 : 0}};
    }
    return pattern.NamedCapturingGroups();
}

/// Reads one element of `extract`, which may be several values.
class ExtractionReader {
public:
    ExtractionReader(const config::Value& item, ContentSpec& spec, std::set<std::string>& taken)
        : item_(item),
          spec_(spec),
          taken_(taken) {}

    bool read() {
        auto table = item_.table();
        if (!table) {
            return fail("must be a table like { name = \"queue\", json = \"body.queue.depth\" }");
        }
        if (!read_extraction_table(*table, keys_)) {
            return false;
        }
        made_.as_text = keys_.as == "info";
        if (!keys_.json.empty()) {
            return read_json();
        }
        if (!keys_.header.empty() && !is_token(keys_.header)) {
            return fail("\"" + keys_.header +
                        "\" is no name of a header field (RFC 9110: letters, digits and -)");
        }
        made_.from = keys_.header.empty() ? Extraction::From::body : Extraction::From::header;
        made_.lower_field = url_lower(keys_.header);
        return keys_.regex.empty() ? add(keys_.name.empty() ? keys_.header : keys_.name)
                                   : read_pattern();
    }

private:
    bool fail(std::string what) {
        item_.error(std::move(what));
        return false;
    }

    bool read_json() {
        std::string error;
        made_.from = Extraction::From::json;
        made_.expression = compile(keys_.json, error);
        return made_.expression ? add(keys_.name.empty() ? keys_.json : keys_.name) : fail(error);
    }

    bool read_pattern() {
        std::string error;
        made_.pattern = compile_pattern(keys_.regex, error);
        if (!made_.pattern) {
            return fail(error);
        }
        const auto groups = groups_of(*made_.pattern, keys_.name);
        if (groups.empty()) {
            return fail("a `name` is missing, or named groups in the pattern: (?P<queue>\\d+)");
        }
        return std::ranges::all_of(groups, [this](const auto& group) {
            made_.group = group.second;
            return add(group.first);
        });
    }

    bool add(const std::string& name) {
        if (!taken_.insert(name).second) {
            return fail("a second extraction is named \"" + name + "\"; names must differ");
        }
        if (spec_.extractions.size() == most_extractions) {
            return fail("at most " + std::to_string(most_extractions) + " values are taken");
        }
        made_.label = label_of(name);
        spec_.extractions.push_back(made_);
        return true;
    }

    const config::Value& item_;
    ContentSpec& spec_;
    std::set<std::string>& taken_;
    ExtractionKeys keys_;
    Extraction made_;
};

}  // namespace

bool ContentSpec::needs_json() const {
    return !json.empty() || std::ranges::any_of(extractions, [](const Extraction& each) {
        return each.from == Extraction::From::json;
    });
}

bool ContentSpec::needs_text() const {
    return std::ranges::any_of(
        extractions, [](const Extraction& each) { return each.from == Extraction::From::body; });
}

bool read_content(Table& table, ExpectationNames& taken, ContentSpec& spec) {
    bool good = true;
    table.each({"expect_json",
                "Expressions that must hold for the body, which is JSON: CEL over `body` "
                "(`body.status == 'ok' && size(body.items) > 3`), or `{ name, expression, expect = "
                "\"true\" | \"false\" }`."},
               "string or table",
               [&](const config::Value& item) {
                   JsonExpectation json;
                   if (spec.json.size() == most_json) {
                       item.error("at most " + std::to_string(most_json) + " are judged");
                       good = false;
                   } else if (read_json(item, taken, json)) {
                       spec.json.push_back(std::move(json));
                   } else {
                       good = false;
                   }
               });
    std::set<std::string> names;
    table.each({"extract",
                "Numbers and texts to take from the final response: `{ name, json | regex | "
                "header, as = \"value\" | \"info\" }`; at most 64. What is not found has no "
                "sample and fails nothing."},
               "table",
               [&](const config::Value& item) {
                   good = ExtractionReader{item, spec, names}.read() && good;
               });
    Bytes most{spec.max_extract_body};
    table.read({"max_extract_body",
                "The largest body (decoded) from which something is taken, or of which JSON is "
                "expected; a larger one is `body_too_large`."},
               most,
               Bytes{1},
               Bytes{std::uint64_t{64} << 20});
    spec.max_extract_body = most.count;
    table.read(
        {"body_sha256", "Exports the SHA-256 of the decoded body, `probe_http_body_sha256_info`."},
        spec.body_sha256);
    table.read({"body_changed",
                "Exports whether the decoded body differs from that of the check before, "
                "`probe_http_body_changed`."},
               spec.body_changed);
    return good;
}

}  // namespace sonde::probes::http

#include "exporter/metrics/target_filter.hpp"

#include "exporter/engine/stable_hash.hpp"
#include "exporter/metrics/label_text.hpp"
#include "exporter/number_text.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace sonde::exporter {

namespace {

constexpr std::uint64_t most_parts = 1'000'000;

void skip_spaces(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

bool take(std::string_view& text, std::string_view token) {
    skip_spaces(text);
    if (!text.starts_with(token)) {
        return false;
    }
    text.remove_prefix(token.size());
    return true;
}

std::string take_name(std::string_view& text) {
    skip_spaces(text);
    const auto is_name = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_';
    };
    const auto end = std::ranges::find_if_not(text, is_name);
    std::string name(text.begin(), end);
    text.remove_prefix(name.size());
    return name;
}

/// A quoted string with the escapes \\ \" \' \n.
bool take_string(std::string_view& text, std::string& out) {
    skip_spaces(text);
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) {
        return false;
    }
    const char quote = text.front();
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == quote) {
            text.remove_prefix(i + 1);
            return true;
        }
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            out += text[i] == 'n' ? '\n' : text[i];
        } else {
            out += text[i];
        }
    }
    return false;
}

}  // namespace

bool TargetFilter::add_shard(std::string_view text, std::string& error) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto part = number_in<std::uint64_t>(text.substr(0, slash));
    const auto parts = number_in<std::uint64_t>(text.substr(std::min(slash + 1, text.size())));
    if (!part || !parts || *part < 1 || *part > *parts || *parts > most_parts) {
        error = "shard must be like 3/8, from 1/8 to 8/8, not " + std::string{text};
        return false;
    }
    part_ = *part - 1;
    parts_ = *parts;
    return true;
}

bool TargetFilter::add_selector(std::string_view text, std::string& error) {
    const std::string whole{text};
    const auto wrong = [&](std::string why) {
        error = "match[]=" + whole + ": " + std::move(why);
        return false;
    };
    if (!take(text, "{")) {
        return wrong(
            R"(must be like {team="web"}; families are chosen by collect[]=probe_success)");
    }
    Selector selector;
    while (!take(text, "}")) {
        std::string why;
        Matcher& matcher = selector.emplace_back();
        if (!parse_matcher(text, matcher, why)) {
            return wrong(std::move(why));
        }
        if (!take(text, ",") && !text.starts_with('}')) {
            return wrong("a comma or } must follow " + matcher.label);
        }
    }
    skip_spaces(text);
    if (!text.empty()) {
        return wrong("nothing may follow the }");
    }
    if (selector.empty()) {
        return wrong("an empty selector would select everything");
    }
    selectors_.push_back(std::move(selector));
    return true;
}

bool TargetFilter::parse_matcher(std::string_view& text, Matcher& matcher, std::string& error) {
    static constexpr std::pair<std::string_view, Operator> operators[] = {
        {"=~", Operator::matches},
        {"!~", Operator::matches_not},
        {"!=", Operator::not_equal},
        {"=", Operator::equal}};
    matcher.label = take_name(text);
    if (matcher.label.empty()) {
        error = "a label's name is missing";
        return false;
    }
    const auto* const found = std::ranges::find_if(
        operators, [&](const auto& candidate) { return take(text, candidate.first); });
    if (found == std::end(operators)) {
        error = "one of = != =~ !~ must follow " + matcher.label;
        return false;
    }
    matcher.op = found->second;
    if (!take_string(text, matcher.value)) {
        error = "the value of " + matcher.label + " must be in quotes";
        return false;
    }
    if (matcher.op == Operator::matches || matcher.op == Operator::matches_not) {
        RE2::Options options;
        options.set_log_errors(false);
        auto pattern = std::make_shared<const RE2>(matcher.value, options);
        if (!pattern->ok()) {
            error = "the pattern of " + matcher.label + ": " + pattern->error();
            return false;
        }
        matcher.pattern = std::move(pattern);
    }
    return true;
}

bool TargetFilter::holds(const Matcher& matcher, std::string_view value) {
    switch (matcher.op) {
        case Operator::equal:
            return value == matcher.value;
        case Operator::not_equal:
            return value != matcher.value;
        case Operator::matches:
            return RE2::FullMatch(value, *matcher.pattern);
        case Operator::matches_not:
            break;
    }
    return !RE2::FullMatch(value, *matcher.pattern);
}

bool TargetFilter::wants(std::string_view labels) const {
    if (wants_all()) {
        return true;
    }
    const Labels parsed = parse_labels(labels);
    // The first is the target's name.
    if (stable_hash(parsed.front().second) % parts_ != part_) {
        return false;
    }
    // As in PromQL, a label that is not there has the empty value.
    const auto value_of = [&](const std::string& name) -> std::string_view {
        const auto found = std::ranges::find(parsed, name, &Labels::value_type::first);
        return found == parsed.end() ? std::string_view{} : std::string_view{found->second};
    };
    return selectors_.empty() || std::ranges::any_of(selectors_, [&](const Selector& selector) {
               return std::ranges::all_of(selector, [&](const Matcher& matcher) {
                   return holds(matcher, value_of(matcher.label));
               });
           });
}

}  // namespace sonde::exporter

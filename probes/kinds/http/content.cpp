#include "probes/kinds/http/content.hpp"

#include "probes/trim.hpp"
#include "probes/wire/patterns.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <re2/re2.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::http {

namespace asio = boost::asio;

namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view blanks = " \t\r\n";

/// All of the text, which people write with blanks around and a plus before.
std::optional<double> number_in(std::string_view text) {
    text = trim(text, blanks);
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole && std::isfinite(value) ? std::optional{value} : std::nullopt;
}

/// The matches of a text with the patterns of extractions, each searched for once although several
/// of its groups may be taken.
class Groups {
public:
    /// What the pattern's group matched in the text; nothing without a match.
    std::optional<std::string_view> of(const Extraction& wanted, std::string_view text) {
        if (!wanted.pattern) {
            return text;
        }
        if (wanted.pattern.get() != pattern_ || text.data() != text_.data()) {
            pattern_ = wanted.pattern.get();
            text_ = text;
            groups_.assign(static_cast<std::size_t>(pattern_->NumberOfCapturingGroups()) + 1, {});
            matched_ = pattern_->Match({text.data(), text.size()},
                                       0,
                                       text.size(),
                                       re2::RE2::UNANCHORED,
                                       groups_.data(),
                                       static_cast<int>(groups_.size()));
        }
        const re2::StringPiece& group = groups_[static_cast<std::size_t>(wanted.group)];
        return matched_ && group.data() != nullptr
                   ? std::optional{std::string_view{group.data(), group.size()}}
                   : std::nullopt;
    }

private:
    const re2::RE2* pattern_ = nullptr;
    std::string_view text_;
    std::vector<re2::StringPiece> groups_;
    bool matched_ = false;
};

class Taker {
public:
    Taker(Check& check, ProbeResult& result) : check_(check), result_(result) {}

    void take(const Extraction& wanted, std::string_view text) {
        if (wanted.as_text) {
            add_text(wanted, text);
        } else if (const auto number = number_in(text)) {
            add_number(wanted, *number);
        }
    }

    void take(const Extraction& wanted, const wire::cel::Value& value) {
        if (wanted.as_text) {
            if (const auto text = wire::cel::to_text(value)) {
                add_text(wanted, *text);
            }
        } else if (const auto number = wire::cel::to_number(value)) {
            add_number(wanted, *number);
        }
    }

private:
    void add_number(const Extraction& wanted, double value) {
        result_.labelled.push_back({Family::extracted_value, wanted.label, value});
        note(wanted, std::to_string(value));
    }

    void add_text(const Extraction& wanted, std::string_view text) {
        const std::string shown =
            wire::PatternSet::label({.name = {}, .pattern = std::string{trim(text, blanks)}});
        auto labels = std::make_shared<const Texts>(Texts{wanted.label->front(), shown});
        result_.labelled.push_back({Family::extracted_info, std::move(labels), 1});
        note(wanted, shown);
    }

    void note(const Extraction& wanted, std::string text) {
        if (Trace* watcher = check_.trace()) {
            watcher->extracted.emplace_back(wanted.label->front(), std::move(text));
        }
    }

    Check& check_;
    ProbeResult& result_;
};

void judge_json(Check& check,
                const JsonExpectation& expected,
                Receiver& final,
                ProbeResult& result) {
    std::string seen;
    bool met = false;
    if (!final.json_error().empty()) {
        seen = final.json_error();
    } else {
        const wire::cel::Result found = expected.expression->evaluate(final.json());
        const bool* const verdict = found.ok() ? found.value.get<bool>() : nullptr;
        met = verdict != nullptr && *verdict == expected.holds;
        seen = !found.ok()          ? found.error
               : verdict == nullptr ? "it is no bool"
                                    : (*verdict ? "it is true" : "it is false");
    }
    result.labelled.push_back({Family::expectation_met, expected.label, met ? 1.0 : 0.0});
    if (Trace* watcher = check.trace()) {
        watcher->expectations.push_back({"JSON " + expected.label->front(), met, seen});
    }
    if (!met && check.failure == Failure::none) {
        check.fail(Failure::unexpected_content,
                   "JSON expression \"" + expected.label->front() + "\": " + seen +
                       (expected.holds ? ", expected to be true" : ", expected to be false"));
    }
}

void take_json(const Extraction& wanted, Receiver& final, Taker& taker) {
    if (final.json_error().empty()) {
        const wire::cel::Result found = wanted.expression->evaluate(final.json());
        if (found.ok()) {
            taker.take(wanted, found.value);
        }
    }
}

/// One of the extractions, `index`.
void extract(
    Check& check, std::size_t index, Receiver& final, Groups& groups, ProbeResult& result) {
    const Extraction& wanted = check.spec.content.extractions[index];
    Taker taker{check, result};
    if (wanted.from == Extraction::From::json) {
        take_json(wanted, final, taker);
        return;
    }
    const auto text = wanted.from == Extraction::From::header
                          ? final.extracted_field(index)
                          : std::optional{std::string_view{final.kept_body()}};
    const auto found = text ? groups.of(wanted, *text) : std::nullopt;
    if (found) {
        taker.take(wanted, *found);
    }
}

/// Lets the thread's other checks have their turn when the body is large. False: cancelled.
asio::awaitable<bool> give_way(const Check& check, const Receiver& final) {
    constexpr std::uint64_t large = 64 * 1024;
    if (final.decoded_bytes() > large) {
        co_await asio::post(check.run.env.executor, asio::deferred);
    }
    co_return !check.run.cancelled();
}

}  // namespace

asio::awaitable<void> judge_whole_body(Check& check, Receiver& final, ProbeResult& result) {
    const ContentSpec& spec = check.spec.content;
    const bool too_large =
        final.decoded_bytes() > spec.max_extract_body && (spec.needs_json() || spec.needs_text());
    if (too_large && check.failure == Failure::none) {
        check.fail(Failure::body_too_large,
                   "something is to be taken from the body, which is over " +
                       std::to_string(spec.max_extract_body) + " bytes");
    }
    bool going = !too_large;
    for (std::size_t i = 0; going && i < spec.json.size(); ++i) {
        judge_json(check, spec.json[i], final, result);
        going = co_await give_way(check, final);
    }
    Groups groups;
    for (std::size_t i = 0; going && i < spec.extractions.size(); ++i) {
        extract(check, i, final, groups, result);
        going = co_await give_way(check, final);
    }
    if (!spec.needs_hash()) {
        co_return;
    }
    const Digest digest = final.body_digest();
    if (spec.body_sha256) {
        auto label = std::make_shared<const Texts>(1, hex(digest));
        result.labelled.push_back({Family::http_body_sha256, std::move(label), 1});
    }
    if (spec.body_changed) {
        result.body_digest = digest;
    }
}

}  // namespace sonde::probes::http

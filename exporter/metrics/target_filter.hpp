// Which targets a scrape wants: a shard of them, those with certain labels. Owns the syntax of
// selectors; walks nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}  // namespace re2

namespace sonde::exporter {

/// The labels are those that every series of the target has: `target` and the target's own.
class TargetFilter {
public:
    /// "3/8": the third of eight parts of all targets, by a hash of their names; the parts are
    /// disjoint and together are all. False, and what is wrong in `error`, when it is no such text.
    bool add_shard(std::string_view text, std::string& error);

    /// A selector as PromQL has it, without a metric's name: {team="web",target!~"test-.*"}. A
    /// target is wanted when one of the selectors that were added matches it.
    bool add_selector(std::string_view text, std::string& error);

    [[nodiscard]] bool wants_all() const { return parts_ == 1 && selectors_.empty(); }

    /// What is not a target's goes with the first part, and with no selector.
    [[nodiscard]] bool wants_the_program() const { return part_ == 0 && selectors_.empty(); }

    /// `labels`: what render_target_labels made.
    [[nodiscard]] bool wants(std::string_view labels) const;

private:
    enum class Operator : std::uint8_t { equal, not_equal, matches, matches_not };

    struct Matcher {
        std::string label;
        Operator op = Operator::equal;
        std::string value;
        std::shared_ptr<const re2::RE2> pattern;  // of the last two
    };

    using Selector = std::vector<Matcher>;

    static bool holds(const Matcher& matcher, std::string_view value);
    static bool parse_matcher(std::string_view& text, Matcher& matcher, std::string& error);

    std::uint64_t part_ = 0;
    std::uint64_t parts_ = 1;
    std::vector<Selector> selectors_;
};

}  // namespace sonde::exporter

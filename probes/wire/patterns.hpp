// A set of patterns and the search for all of them in one body that streams by.
// RE2's syntax and semantics (UTF-8) are the contract. Patterns that can be put into bytes without
// a change of meaning run on vectorscan, without a bound; the rest run on RE2 over a bounded body.
#pragma once

#include "probes/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire {

struct PatternSpec {
    std::string name;  // empty: the pattern's text names it
    std::string pattern;
    bool expect_present = true;

    bool operator==(const PatternSpec&) const = default;
};

struct PatternError {
    std::size_t index = 0;     // of the spec
    std::size_t position = 0;  // byte offset in its pattern, where RE2 tells; else 0
    std::string what;          // one line: "missing ): (a"
};

enum class Verdict : std::uint8_t { undecided, not_found, found };

class PatternEngine;  // the compiled form, of no use to callers

/// Compiled, immutable, shared by targets and threads.
class PatternSet {
public:
    /// Compiles (10-70 ms: at load, off the workers) or finds an equal set that is in use already.
    /// On failure returns null and says which pattern is wrong and why. Any thread.
    static std::shared_ptr<const PatternSet> compile(std::vector<PatternSpec> specs,
                                                     PatternError& error);

    /// Whether RE2 takes the pattern, without compiling the set (fast, for config checks).
    [[nodiscard]] static std::optional<PatternError> check(std::string_view pattern);

    /// The value of the `regex` and `name` labels: the name, or the pattern's text cut at 128 bytes
    /// (never inside a UTF-8 character).
    [[nodiscard]] static std::string label(const PatternSpec& spec);

    PatternSet(const PatternSet&) = delete;
    PatternSet& operator=(const PatternSet&) = delete;
    ~PatternSet();

    [[nodiscard]] std::size_t size() const { return specs_.size(); }

    [[nodiscard]] const PatternSpec& spec(std::size_t index) const { return specs_[index]; }

    /// What label() says, made once, shared.
    [[nodiscard]] const LabelValues& labels(std::size_t index) const { return labels_[index]; }

    /// Whether the pattern is searched without a bound on the body.
    [[nodiscard]] bool streams(std::size_t index) const;

private:
    friend class Matcher;
    PatternSet(std::vector<PatternSpec> specs, std::shared_ptr<const PatternEngine> engine);

    std::vector<PatternSpec> specs_;
    std::vector<LabelValues> labels_;
    std::shared_ptr<const PatternEngine> engine_;  // shared by sets with equal patterns
};

/// One search over one body. Reusable: start() keeps the memory, and with the same set a warm
/// matcher allocates nothing. Used by one thread at a time; vectorscan's scratch is kept for each
/// thread.
class Matcher {
public:
    static constexpr std::size_t default_max_extract_body = std::size_t{1024} * 1024;

    Matcher();
    Matcher(Matcher&&) noexcept;
    Matcher& operator=(Matcher&&) noexcept;
    ~Matcher();

    /// Begins a body. `set` may be null: nothing to search, decided at once.
    void start(std::shared_ptr<const PatternSet> set,
               std::size_t max_extract_body = default_max_extract_body);

    /// The next bytes of the body, in any split.
    void feed(std::span<const char> data);

    /// The end of the body: what was not found is not there. Without it (a body cut off) the rest
    /// stays undecided.
    void finish();

    /// All verdicts are final: nothing that is still to come can change them.
    [[nodiscard]] bool decided() const;
    [[nodiscard]] Verdict verdict(std::size_t index) const;

    /// Whether the pattern's expectation is met; nothing while its verdict is undecided.
    [[nodiscard]] std::optional<bool> met(std::size_t index) const;

    /// The body was over max_extract_body and a pattern needed all of it: that verdict stays
    /// undecided.
    [[nodiscard]] bool body_too_large() const;

    /// Number of the feed() call, from 0, that brought the last verdict known so far; nothing when
    /// none was decided by a feed (always or only at the end).
    [[nodiscard]] std::optional<std::size_t> deciding_feed() const;

    [[nodiscard]] const PatternSet* set() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace sonde::probes::wire

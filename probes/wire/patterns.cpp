// Pattern sets, and the cache of those in use.
#include "probes/wire/patterns.hpp"

#include "probes/shared_values.hpp"
#include "probes/wire/pattern_engine.hpp"

#include <algorithm>
#include <utility>

namespace sonde::probes::wire {

namespace {

constexpr std::size_t longest_label = 128;

// Length-prefixed, so that no two lists of texts have one key.
void append_key(std::string& key, std::string_view text) {
    key += std::to_string(text.size());
    key += ':';
    key += text;
}

}  // namespace

PatternSet::PatternSet(std::vector<PatternSpec> specs, std::shared_ptr<const PatternEngine> engine)
    : specs_(std::move(specs)),
      engine_(std::move(engine)) {
    labels_.reserve(specs_.size());
    for (const auto& spec : specs_) {
        labels_.push_back(std::make_shared<const std::vector<std::string>>(1, label(spec)));
    }
}

PatternSet::~PatternSet() = default;

std::string PatternSet::label(const PatternSpec& spec) {
    if (!spec.name.empty()) {
        return spec.name;
    }
    auto length = std::min(spec.pattern.size(), longest_label);
    const auto continues = [&](std::size_t at) {
        return at < spec.pattern.size() &&
               (static_cast<unsigned char>(spec.pattern[at]) & 0xc0U) == 0x80U;
    };
    while (length > 0 && continues(length)) {
        --length;
    }
    return spec.pattern.substr(0, length);
}

std::shared_ptr<const PatternSet> PatternSet::compile(std::vector<PatternSpec> specs,
                                                      PatternError& error) {
    static SharedValues<PatternSet> sets;
    static SharedValues<PatternEngine> engines;
    std::string patterns_key;
    std::string key;
    for (const auto& spec : specs) {
        append_key(patterns_key, spec.pattern);
        append_key(key, spec.name);
        key += spec.expect_present ? '+' : '-';
    }
    key += patterns_key;
    if (auto known = sets.find(key)) {
        return known;
    }
    auto engine = engines.find(patterns_key);
    if (!engine) {
        engine = PatternEngine::build(specs, error);
        if (!engine) {
            return nullptr;
        }
        engine = engines.put(std::move(patterns_key), std::move(engine));
    }
    return sets.put(
        std::move(key),
        std::shared_ptr<const PatternSet>{new PatternSet{std::move(specs), std::move(engine)}});
}

std::optional<PatternError> PatternSet::check(std::string_view pattern) {
    return pattern_error(pattern);
}

bool PatternSet::streams(std::size_t index) const {
    return engine_->places[index].way != PatternEngine::Way::bounded;
}

}  // namespace sonde::probes::wire

// Compiling for vectorscan and RE2, and vectorscan's scratch.
#include "probes/wire/pattern_engine.hpp"

#include "probes/wire/byte_pattern.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

namespace sonde::probes::wire {

namespace {

RE2::Options quiet() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
}

std::optional<PatternError> error_of(const RE2& compiled) {
    if (compiled.ok()) {
        return std::nullopt;
    }
    PatternError error;
    const auto position = compiled.pattern().find(compiled.error_arg());
    error.position = position == std::string::npos ? 0 : position;
    error.what = compiled.error();
    return error;
}

/// vectorscan's working memory, one for each thread, large enough for every engine it has met.
class ThreadScratch {
public:
    ThreadScratch() = default;
    ThreadScratch(const ThreadScratch&) = delete;
    ThreadScratch& operator=(const ThreadScratch&) = delete;

    ~ThreadScratch() { hs_free_scratch(scratch_); }

    hs_scratch_t* prepare(const PatternEngine& engine) {
        // hs_alloc_scratch() allocates even when nothing has to grow, so each engine is asked once.
        if (engine.id >= met_.size()) {
            met_.resize(engine.id + 1);
        }
        if (!met_[engine.id]) {
            if (hs_alloc_scratch(engine.database.get(), &scratch_) != HS_SUCCESS) {
                throw std::bad_alloc{};
            }
            met_[engine.id] = true;
        }
        return scratch_;
    }

private:
    hs_scratch_t* scratch_ = nullptr;
    std::vector<bool> met_;  // by PatternEngine::id
};

}  // namespace

std::shared_ptr<const PatternEngine> PatternEngine::build(const std::vector<PatternSpec>& specs,
                                                          PatternError& error) {
    static std::atomic<std::size_t> next_id{0};
    static const bool vectorscan = hs_valid_platform() == HS_SUCCESS;  // no: before SSSE3
    auto engine = std::make_shared<PatternEngine>();
    engine->id = next_id++;
    std::vector<std::string> texts(specs.size());
    for (std::size_t i = 0; i < specs.size(); ++i) {
        auto compiled = std::make_unique<RE2>(specs[i].pattern, quiet());
        if (auto wrong = error_of(*compiled)) {
            error = std::move(*wrong);
            error.index = i;
            return nullptr;
        }
        auto bytes = to_byte_pattern(specs[i].pattern);
        if (bytes && bytes->always) {
            engine->places.push_back({Way::always, nullptr});
        } else if (bytes && vectorscan) {
            texts[i] = std::move(bytes->text);
            engine->places.push_back({Way::stream, nullptr});
        } else {
            engine->places.push_back({Way::bounded, std::move(compiled)});
        }
    }
    engine->compile_streams(std::move(texts), specs);
    return engine;
}

void PatternEngine::demote(std::size_t index, const std::vector<PatternSpec>& specs) {
    places[index] = {Way::bounded, std::make_unique<RE2>(specs[index].pattern, quiet())};
}

// What vectorscan refuses goes to RE2, one pattern at a time, and it is asked again.
void PatternEngine::compile_streams(std::vector<std::string> texts,
                                    const std::vector<PatternSpec>& specs) {
    for (;;) {
        std::vector<const char*> expressions;
        std::vector<unsigned> ids;
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (places[i].way == Way::stream) {
                expressions.push_back(texts[i].c_str());
                ids.push_back(static_cast<unsigned>(i));
            }
        }
        if (ids.empty()) {
            return;
        }
        const std::vector<unsigned> flags(ids.size(), HS_FLAG_SINGLEMATCH);
        hs_database_t* made = nullptr;
        hs_compile_error_t* refused = nullptr;
        const auto result = hs_compile_multi(expressions.data(),
                                             flags.data(),
                                             ids.data(),
                                             static_cast<unsigned>(ids.size()),
                                             HS_MODE_STREAM,
                                             nullptr,
                                             &made,
                                             &refused);
        if (result == HS_SUCCESS) {
            database.reset(made);
            return;
        }
        const int which = refused != nullptr ? refused->expression : -1;
        hs_free_compile_error(refused);
        if (which >= 0 && static_cast<std::size_t>(which) < ids.size()) {
            demote(ids[static_cast<std::size_t>(which)], specs);
        } else {
            for (const auto index : ids) {
                demote(index, specs);
            }
        }
    }
}

std::optional<PatternError> pattern_error(std::string_view pattern) {
    return error_of(RE2{re2::StringPiece{pattern.data(), pattern.size()}, quiet()});
}

hs_scratch_t* thread_scratch(const PatternEngine& engine) {
    thread_local ThreadScratch scratch;
    return scratch.prepare(engine);
}

}  // namespace sonde::probes::wire

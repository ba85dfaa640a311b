// The compiled form of a list of patterns: which runs where, vectorscan's database and RE2's
// programs.
#pragma once

#include "probes/wire/patterns.hpp"

#include <hs/hs.h>
#include <re2/re2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::wire {

struct DatabaseFree {
    void operator()(hs_database_t* database) const { hs_free_database(database); }
};

class PatternEngine {
public:
    enum class Way : std::uint8_t { always, stream, bounded };

    struct Place {
        Way way;
        std::unique_ptr<RE2> re2;  // of bounded ones
    };

    static std::shared_ptr<const PatternEngine> build(const std::vector<PatternSpec>& specs,
                                                      PatternError& error);

    std::vector<Place> places;
    std::unique_ptr<hs_database_t, DatabaseFree> database;  // null: no pattern streams
    std::size_t id = 0;                                     // never given twice

private:
    void compile_streams(std::vector<std::string> texts, const std::vector<PatternSpec>& specs);

    void demote(std::size_t index, const std::vector<PatternSpec>& specs);
};

/// RE2's complaint about a pattern.
[[nodiscard]] std::optional<PatternError> pattern_error(std::string_view pattern);

/// The calling thread's working memory for vectorscan, fit for `engine`, valid until the next call.
[[nodiscard]] hs_scratch_t* thread_scratch(const PatternEngine& engine);

}  // namespace sonde::probes::wire

// RE2 as matches() uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}  // namespace re2

namespace sonde::probes::wire::cel {

inline constexpr std::int64_t constant_regex_memory = std::int64_t{8} << 20U;
/// Of patterns that a body brings along: small ones only, they are compiled while a worker waits.
inline constexpr std::int64_t dynamic_regex_memory = std::int64_t{256} << 10U;

/// Null: `error` says in one line why.
[[nodiscard]] std::shared_ptr<const re2::RE2> compile_regex(std::string_view pattern,
                                                            std::int64_t memory,
                                                            std::string& error);

/// Anywhere in the text.
[[nodiscard]] bool found_in(const re2::RE2& pattern, std::string_view text);

}  // namespace sonde::probes::wire::cel

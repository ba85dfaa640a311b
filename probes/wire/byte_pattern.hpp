// RE2 patterns put into patterns of bytes that mean the same, whatever bytes they are run on.
// It decides which patterns may run on vectorscan; it runs nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sonde::probes::wire {

struct BytePattern {
    std::string text;     // for vectorscan with no flags that change meaning
    bool always = false;  // found in every body, an empty one too; text is not to be used
};

/// `pattern` was taken by RE2 (UTF-8, default options). Only whether it is found counts: groups and
/// greediness are dropped. Every class, dot and letter is spelled out in bytes, so neither UTF-8
/// mode nor any flag of the other engine takes part in the meaning. Nothing where that cannot be
/// done for sure: Unicode classes, \Q...\E, case folding beyond ASCII, quantified assertions,
/// patterns that match the empty string only at some places, and patterns that would grow too
/// large.
[[nodiscard]] std::optional<BytePattern> to_byte_pattern(std::string_view pattern);

}  // namespace sonde::probes::wire

// Every error found in the configuration, each with the place a person has to look at.
// Owns no parsing: readers add to it, main and the reload print it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::config {

struct Diagnostic {
    std::string file;
    std::uint32_t line = 0;  // 1-based; 0: the error belongs to the whole file
    std::string key;         // dotted, as in "target.shop.tls.ca_file"; empty for syntax errors
    std::string message;     // what is wrong and what would be right; never a secret's value
};

class Diagnostics {
public:
    void add(Diagnostic diagnostic);

    [[nodiscard]] bool ok() const { return all_.empty(); }

    [[nodiscard]] std::span<const Diagnostic> all() const { return all_; }

    /// One line each, "file:line: key: message", in the order of file and line, each once.
    [[nodiscard]] std::string text() const;

private:
    std::vector<Diagnostic> all_;
};

/// The known word nearest to `word` (edit distance at most 2, or a third of its length), as
/// `did you mean "interval"?`; empty when none is near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known);

}  // namespace sonde::config

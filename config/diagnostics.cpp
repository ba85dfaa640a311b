// Collecting, ordering and printing of configuration errors, and the search for the word that was
// meant.
#include "config/diagnostics.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sonde::config {

namespace {

/// Optimal string alignment distance: insert, delete, replace, and swap of neighbours cost one
/// each.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before_last(right.size() + 1);
    std::vector<std::size_t> last(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t replace = last[j - 1] + (left[i - 1] == right[j - 1] ? 0U : 1U);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[right.size()];
}

}  // namespace

void Diagnostics::add(Diagnostic diagnostic) {
    all_.push_back(std::move(diagnostic));
}

std::string Diagnostics::text() const {
    std::vector<const Diagnostic*> ordered;
    ordered.reserve(all_.size());
    for (const Diagnostic& diagnostic : all_) {
        ordered.push_back(&diagnostic);
    }
    const auto place = [](const Diagnostic* d) {
        return std::tie(d->file, d->line, d->key, d->message);
    };
    std::sort(
        ordered.begin(), ordered.end(), [&](auto* a, auto* b) { return place(a) < place(b); });
    // A module that two kinds use is read once for each, and its errors are found twice.
    const auto same = [&](auto* a, auto* b) {
        return place(a) == place(b);
    };
    ordered.erase(std::unique(ordered.begin(), ordered.end(), same), ordered.end());
    std::string out;
    for (const Diagnostic* diagnostic : ordered) {
        out += diagnostic->file;
        if (diagnostic->line != 0) {
            out += ':';
            out += std::to_string(diagnostic->line);
        }
        out += ": ";
        if (!diagnostic->key.empty()) {
            out += diagnostic->key;
            out += ": ";
        }
        out += diagnostic->message;
        out += '\n';
    }
    return out;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
    // Longer words would only be slow to compare: no known word is near them.
    constexpr std::size_t longest = 256;
    if (word.size() > longest) {
        return {};
    }
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    std::string_view nearest;
    for (const std::string_view candidate : known) {
        // A word of which nothing is left after the edits is not near.
        const std::size_t edits = distance(word, candidate);
        if (edits < best && edits < std::max(word.size(), candidate.size())) {
            best = edits;
            nearest = candidate;
        }
    }
    return nearest.empty() ? std::string{} : "did you mean \"" + std::string{nearest} + "\"?";
}

}  // namespace sonde::config

// What an http check takes out of a whole answer: JSON expressions that are expected to hold,
// numbers and texts, and the body's hash. Read from the configuration here; content.cpp does it.
#pragma once

#include "config/table.hpp"
#include "probes/kinds/http/expectations.hpp"
#include "probes/result.hpp"
#include "probes/wire/cel.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}  // namespace re2

namespace sonde::probes::http {

struct JsonExpectation {
    LabelValues label;
    std::shared_ptr<const wire::cel::Expression> expression;  // of `body`
    bool holds = true;                                        // what it must be
};

/// One value that is taken, under one name.
struct Extraction {
    enum class From : std::uint8_t { body, header, json };

    LabelValues label;
    From from = From::body;
    bool as_text = false;                                     // for probe_extracted_info
    std::string lower_field;                                  // of a header
    std::shared_ptr<const re2::RE2> pattern;                  // null: the whole field
    int group = 0;                                            // of the pattern; 0: all of the match
    std::shared_ptr<const wire::cel::Expression> expression;  // of JSON
};

struct ContentSpec {
    std::vector<JsonExpectation> json;
    std::vector<Extraction> extractions;
    bool body_sha256 = false;
    bool body_changed = false;
    std::size_t max_extract_body = std::size_t{1} << 20;

    [[nodiscard]] bool needs_json() const;
    /// Whether patterns are searched in the body as a whole.
    [[nodiscard]] bool needs_text() const;

    [[nodiscard]] bool needs_hash() const { return body_sha256 || body_changed; }

    [[nodiscard]] bool needs_anything() const { return needs_all() || !extractions.empty(); }

    /// Nothing is known before the body's end.
    [[nodiscard]] bool needs_all() const { return needs_json() || needs_text() || needs_hash(); }
};

/// Reads and documents the keys; `taken` has the names of other expectations. False when anything
/// was wrong; what, is in the table's diagnostics.
[[nodiscard]] bool read_content(config::Table& table, ExpectationNames& taken, ContentSpec& spec);

}  // namespace sonde::probes::http

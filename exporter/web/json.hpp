// JSON text from untrusted strings and numbers. Owns escaping only; there is no document model.
#pragma once

#include <string>
#include <string_view>

namespace sonde::exporter {

/// Appends `text` as a JSON string with its quotes: always valid UTF-8 (bad bytes become U+FFFD)
/// and free of `<`, `>`, `&` and U+2028/9, so that it is inert inside HTML and scripts too.
void append_json(std::string& out, std::string_view text);

/// Appends the shortest decimal form that reads back as the same number; null when it is not
/// finite.
void append_json(std::string& out, double number);

}  // namespace sonde::exporter

// What may stand in a header field (RFC 9110 section 5).
#pragma once

#include "config/table.hpp"

#include <string>
#include <string_view>

namespace sonde::probes::http {

/// Section 5.6.2: the name of a field, a method, a scheme.
[[nodiscard]] bool is_token(std::string_view text);

/// No line break and no NUL.
[[nodiscard]] bool is_field_value(std::string_view text);

/// Whether a field of the table `key` is one; an error there says what is wrong.
[[nodiscard]] bool check_field(config::Table& table,
                               std::string_view key,
                               const std::string& name,
                               const config::Text& value);

/// ASCII letters alike; `lower` is in lower case.
[[nodiscard]] bool is_same_field(std::string_view name, std::string_view lower);

}  // namespace sonde::probes::http

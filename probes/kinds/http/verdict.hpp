// From what a check measured to its result: expectations judged, readings filled in.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/wire/patterns.hpp"

namespace sonde::probes::http {

/// Judges every expectation (not only the first that fails) and gives the result. `matcher` is that
/// of the final response.
[[nodiscard]] ProbeResult judge(Check& check, const wire::Matcher* matcher);

}  // namespace sonde::probes::http

// From what a check measured to its result: the readings filled in.
#pragma once

#include "probes/kinds/http/check.hpp"

namespace sonde::probes::http {

/// After the last expectation was judged: that ends the check's duration. `check` is spent then.
void finish(Check& check, ProbeResult& result);

}  // namespace sonde::probes::http

// What a whole answer comes to: JSON expectations judged, values taken, the body's hash.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/kinds/http/receiver.hpp"

namespace sonde::probes::http {

/// Exports the verdicts of JSON expectations that can be judged, what is extracted and the hash.
/// Expectations that are not met, and a body that is too large for them or for what is to be
/// extracted, fail the check unless it has failed already. `final` received the final response.
void judge_whole_body(Check& check, Receiver& final, ProbeResult& result);

}  // namespace sonde::probes::http

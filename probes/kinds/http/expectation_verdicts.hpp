// Which expectations of an http check were met.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/kinds/http/receiver.hpp"

namespace sonde::probes::http {

/// Exports the verdict of every expectation that can be judged, however many are not met; the first
/// of those is why the check fails, unless it has failed already. `final` received the response of
/// `url`, the last that was asked for; null: there was none.
void judge_expectations(Check& check, const Url& url, const Receiver* final, ProbeResult& result);

}  // namespace sonde::probes::http

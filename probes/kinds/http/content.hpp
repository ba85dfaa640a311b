// What a whole answer comes to: JSON expectations judged, values taken, the body's hash.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/kinds/http/receiver.hpp"

#include <boost/asio/awaitable.hpp>

namespace sonde::probes::http {

/// Exports the verdicts of JSON expectations that can be judged, what is extracted and the hash.
/// Expectations that are not met, and a body that is too large for them or for what is to be
/// extracted, fail the check unless it has failed already. `final` received the final response.
/// With a large body the thread's other checks have their turn in between. Cancellation: what is
/// left is not judged.
boost::asio::awaitable<void> judge_whole_body(Check& check, Receiver& final, ProbeResult& result);

}  // namespace sonde::probes::http

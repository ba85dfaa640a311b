// From what a check measured to its result: expectations judged, readings filled in.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/kinds/http/receiver.hpp"

#include <boost/asio/awaitable.hpp>

namespace sonde::probes::http {

/// Judges every expectation (not only the first that fails) and gives the result. `final` received
/// the response of `url`, the last that was asked for; null: there was none. `check` is spent then.
[[nodiscard]] boost::asio::awaitable<ProbeResult> judge(Check& check,
                                                        const Url& url,
                                                        Receiver* final);

}  // namespace sonde::probes::http

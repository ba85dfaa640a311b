// One check of a website: hops from request to request until the final response, then the verdict.
#pragma once

#include "probes/kinds/http/spec.hpp"
#include "probes/probe.hpp"
#include "probes/run_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace sonde::probes::http {

/// What is known of a check before it begins.
struct CheckStart {
    const Spec& spec;
    const Url& target;
    std::string token = {};                       // OAuth's; empty: none
    std::optional<net::Endpoint> address = {};    // of the target's host; nothing: look it up
    std::optional<Duration> resolve_time = {};    // what looking it up took
    std::optional<net::TimePoint> began_at = {};  // nothing: with the deadline's clock
};

/// Of a check that fails before it asks anything of the target.
[[nodiscard]] ProbeResult not_begun(const RunContext& context, Failure failure, std::string detail);

/// See Probe::run.
[[nodiscard]] boost::asio::awaitable<ProbeResult> run_check(Env env,
                                                            Deadline deadline,
                                                            CheckStart start);

/// The check at every address of the target's host, at the same time: its result is that of the
/// first address (in the resolver's order) that failed, or of the first, with what each address
/// came to.
[[nodiscard]] boost::asio::awaitable<ProbeResult> run_at_all_addresses(Env env,
                                                                       Deadline deadline,
                                                                       CheckStart start);

}  // namespace sonde::probes::http

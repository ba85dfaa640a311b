// A probe is a pure question: it knows no schedule, no metric library and no logger.
#pragma once

#include "probes/deadline.hpp"
#include "probes/env.hpp"
#include "probes/result.hpp"
#include "probes/target.hpp"

#include <boost/asio/awaitable.hpp>

namespace sonde::probes {

/// The settings of one kind of probe, decoded and checked. Immutable, shared by all targets with
/// equal settings and by all workers.
class Probe {
public:
    Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    virtual ~Probe() = default;

    /// Runs one check on env's executor. The caller cancels it (terminal) at `deadline`; the probe
    /// then returns at once what it has measured: Failure::timeout when the deadline has passed,
    /// anything at all when the caller had other reasons (the caller drops it).
    /// `env` and `target` outlive the run. Network outcomes never throw.
    [[nodiscard]] virtual boost::asio::awaitable<ProbeResult> run(const Env& env,
                                                                  const Target& target,
                                                                  Deadline deadline) const = 0;
};

}  // namespace sonde::probes

// What one check found out. A value: it knows no metric library and no target.
#pragma once

#include "probes/digest.hpp"
#include "probes/failure.hpp"
#include "probes/measurement.hpp"

#include <boost/container/small_vector.hpp>

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sonde::probes {

using Duration = std::chrono::nanoseconds;

/// The numbers of a check, each present or absent.
class Readings {
public:
    void set(Measurement measurement, double value) {
        values_[index(measurement)] = value;
        present_.set(index(measurement));
    }

    void set(Measurement measurement, Duration value) {
        set(measurement, std::chrono::duration<double>(value).count());
    }

    [[nodiscard]] std::optional<double> get(Measurement measurement) const {
        return present_.test(index(measurement)) ? std::optional{values_[index(measurement)]}
                                                 : std::nullopt;
    }

    [[nodiscard]] const std::bitset<static_cast<std::size_t>(Measurement::count)>& present() const {
        return present_;
    }

private:
    static std::size_t index(Measurement measurement) {
        return static_cast<std::size_t>(measurement);
    }

    std::array<double, static_cast<std::size_t>(Measurement::count)>
        values_;  // read only where present_
    std::bitset<static_cast<std::size_t>(Measurement::count)> present_;
};

/// The values of a family's labels, in the order of FamilyInfo::labels. Made once where the value
/// is known (a pattern's name at load, a certificate's facts when it is first seen) and shared.
using LabelValues = std::shared_ptr<const std::vector<std::string>>;

/// A number whose labels are not fixed in the catalogue.
struct LabelledReading {
    Family family;
    LabelValues labels;
    double value;
};

/// Room for one without an allocation: what most checks have.
using LabelledReadings = boost::container::small_vector<LabelledReading, 1>;

struct ProbeResult {
    Failure failure = Failure::internal_error;  // none: the check succeeded
    std::string detail;   // one line for people: what failed, at which address, in which phase
    Duration duration{};  // from the start of the check to its verdict
    std::optional<Duration> rtt;  // nothing when there was no whole answer
    std::optional<bool>
        arrival_from_kernel;  // who stamped the answer's arrival; nothing: no answer
    bool exhausted =
        false;  // this machine ran out of descriptors, ports or memory: no word on the target
    std::uint32_t dead_connections = 0;  // kept ones that the server had closed
    std::optional<Digest> body_digest;   // where a change of the body is asked for
    Readings readings;
    LabelledReadings labelled;

    [[nodiscard]] bool success() const { return failure == Failure::none; }
};

}  // namespace sonde::probes

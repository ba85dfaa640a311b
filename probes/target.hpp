// What a check is asked about.
#pragma once

#include <string>

#include "probes/url.hpp"

namespace sonde::probes {

struct Target {
    std::string name;  // its identity, unique in a plan
    Url url;
};

}  // namespace sonde::probes

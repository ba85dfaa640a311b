// What a check is asked about.
#pragma once

#include "probes/url.hpp"

#include <string>

namespace sonde::probes {

struct Target {
    std::string name;  // its identity, unique in a plan
    Url url;
};

}  // namespace sonde::probes

// How often the program has allocated. Linking allocations.cpp replaces operator new.
#pragma once

#include <cstdint>

namespace sonde::bench {

[[nodiscard]] std::uint64_t allocations();

}  // namespace sonde::bench

#include "probes/kinds/http/link.hpp"

#include <array>

namespace sonde::probes::http {

bool Link::usable() {
    std::array<char, 1> byte{};
    return connection.read(byte).wait.has_value();
}

}  // namespace sonde::probes::http

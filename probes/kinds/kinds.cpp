#include "probes/kinds/kinds.hpp"

#include "probes/kinds/http/http.hpp"

#include <algorithm>
#include <array>

namespace sonde::probes {

namespace {

constexpr std::array<std::string_view, 2> http_schemes{"http", "https"};

constexpr std::array<Kind, 1> all{{
    {"http",
     http_schemes,
     "Requests a page over HTTP/1.1 and judges the answer.",
     &http::make,
     &http::check_url},
}};

}  // namespace

std::span<const Kind> kinds() {
    return all;
}

const Kind* find_kind(std::string_view name) {
    const auto found = std::ranges::find(all, name, &Kind::name);
    return found == all.end() ? nullptr : &*found;
}

const Kind* kind_of_scheme(std::string_view scheme) {
    const auto found = std::ranges::find_if(all, [&](const Kind& kind) {
        return std::ranges::find(kind.schemes, scheme) != kind.schemes.end();
    });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace sonde::probes

// The kind http: checks of websites (http and https).
#pragma once

#include "config/table.hpp"
#include "probes/probe.hpp"

#include <memory>
#include <string>

namespace sonde::probes::http {

/// See Kind::make.
[[nodiscard]] std::shared_ptr<const Probe> make(config::Table& settings);

/// See Kind::check_url.
[[nodiscard]] std::string check_url(const Url& url);

}  // namespace sonde::probes::http

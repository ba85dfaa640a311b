// The kind http: checks of websites (http and https).
#pragma once

#include <memory>
#include <string>

#include "config/table.hpp"
#include "probes/probe.hpp"

namespace sonde::probes::http {

/// See Kind::make.
[[nodiscard]] std::shared_ptr<const Probe> make(config::Table& settings);

/// See Kind::check_url.
[[nodiscard]] std::string check_url(const Url& url);

}  // namespace sonde::probes::http

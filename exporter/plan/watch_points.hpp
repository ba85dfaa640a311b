// Which directory entries decide what a path leads to. Used by config_watch.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sonde::exporter {

/// By directory: the names in it that matter; the name "" stands for every name.
using WatchPoints = std::map<std::string, std::set<std::string>>;

/// The existing directories and the names in them whose change could change what `paths` (absolute)
/// lead to: each path's own entry, the entries of every symbolic link passed on the way, and for
/// what is missing the entry under which it would begin to exist.
[[nodiscard]] WatchPoints watch_points(const std::vector<std::string>& paths);

}  // namespace sonde::exporter

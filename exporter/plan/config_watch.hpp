// Tells when a file of the configuration may have changed. Owns an inotify descriptor; reads no
// file and knows nothing of what is in them.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sonde::exporter {

/// Watches paths through the directories that hold them, and through every symbolic link on the
/// way, so that a rename over a file (as editors save) and the swap of a Kubernetes ConfigMap's
/// `..data` link are seen, as is a file or directory that appears only later.
class ConfigWatch {
public:
    /// Calls `changed` on `executor` once things have been quiet for `debounce` after a change (at
    /// most ten times as long after the first one). Throws std::system_error when there is no
    /// inotify.
    ConfigWatch(boost::asio::any_io_executor executor,
                std::chrono::nanoseconds debounce,
                std::function<void()> changed);

    /// Ends the watch: `changed` is not called again. On the executor's thread, or when it does not
    /// run.
    ~ConfigWatch();
    ConfigWatch(const ConfigWatch&) = delete;
    ConfigWatch& operator=(const ConfigWatch&) = delete;

    /// Replaces what is watched: absolute paths of files and directories, which need not exist. Of
    /// a directory every entry counts. Changes that were noticed before and not yet reported still
    /// are. What cannot be watched (a limit of inotify) is returned, one line each; the rest is
    /// watched. On the executor's thread.
    std::vector<std::string> watch(std::vector<std::string> paths);

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace sonde::exporter

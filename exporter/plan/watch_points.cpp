// Walking paths and their symbolic links.
#include "exporter/plan/watch_points.hpp"

#include <filesystem>
#include <list>
#include <system_error>

namespace sonde::exporter {

namespace {

namespace fs = std::filesystem;

/// As many links as the kernel follows before it says ELOOP.
constexpr int most_links = 40;

void add_points(const std::string& text, WatchPoints& out) {
    const fs::path path{text};
    std::list<fs::path> rest(path.begin(), path.end());
    fs::path walked;
    int links = 0;
    while (!rest.empty()) {
        const fs::path part = rest.front();
        rest.pop_front();
        if (part.is_absolute() || part.empty() || part == ".") {
            walked /= part == "." ? fs::path{} : part;
            continue;
        }
        if (part == "..") {
            walked = walked.parent_path();
            continue;
        }
        std::error_code error;
        const fs::file_status status = fs::symlink_status(walked / part, error);
        if (fs::is_symlink(status)) {
            out[walked.string()].insert(part.string());
            const fs::path target = fs::read_symlink(walked / part, error);
            if (error || ++links > most_links) {
                return;
            }
            rest.insert(rest.begin(), target.begin(), target.end());
            if (target.is_absolute()) {
                walked.clear();
            }
            continue;
        }
        if (rest.empty() || !fs::is_directory(status)) {
            out[walked.string()].insert(part.string());
        }
        if (!fs::exists(status)) {
            return;
        }
        walked /= part;
        if (rest.empty() && fs::is_directory(status)) {
            out[walked.string()].insert("");
        }
    }
}

}  // namespace

WatchPoints watch_points(const std::vector<std::string>& paths) {
    WatchPoints out;
    for (const std::string& path : paths) {
        add_points(path, out);
    }
    return out;
}

}  // namespace sonde::exporter

// What a configuration takes from outside its own text: files (secrets, CA certificates) and
// environment variables. Reads each once in a load, so that a load sees one state of the world, and
// remembers which files it read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::config {

/// The bytes of a file, or why there are none ("No such file or directory").
struct FileContent {
    std::optional<std::string> bytes;
    std::string error;
};

/// Reads a whole regular file (or what a symlink leads to), at most `limit` bytes.
[[nodiscard]] FileContent read_whole_file(const std::string& path, std::uint64_t limit);

class Inputs {
public:
    using Environment = std::function<std::optional<std::string>(const std::string& name)>;

    /// Reads the process's own environment.
    Inputs();
    explicit Inputs(Environment environment);

    /// No secret or certificate file is larger.
    static constexpr std::uint64_t file_limit = 16ULL << 20U;

    const FileContent& file(const std::string& path);

    [[nodiscard]] std::optional<std::string> variable(const std::string& name) const;

    /// The files asked for since the last take_used(), whether they could be read or not.
    [[nodiscard]] std::set<std::string> take_used();

    /// Counts files as asked for without asking (their effect came from a cache).
    void note_used(const std::set<std::string>& paths);

private:
    Environment environment_;
    std::map<std::string, FileContent> files_;
    std::set<std::string> used_;
};

/// `path` itself when it is absolute, else below `directory`; normalised without following links.
[[nodiscard]] std::string absolute_path(const std::string& directory, const std::string& path);

}  // namespace sonde::config

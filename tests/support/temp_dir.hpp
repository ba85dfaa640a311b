// A directory that lives as long as the object, for tests that need files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace sonde::tests {

class TempDir {
public:
    /// Throws std::system_error when it cannot be made.
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Writes (or replaces) a file below the directory, making the folders it needs, and returns
    /// its path. Throws std::runtime_error when that fails.
    std::filesystem::path write(std::string_view relative, std::string_view content) const;

private:
    std::filesystem::path path_;
};

}  // namespace sonde::tests

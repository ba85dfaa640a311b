// Reading of files and environment variables for the configuration.
#include "config/inputs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace sonde::config {

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}

    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

FileContent failed(int error) {
    return {std::nullopt, std::generic_category().message(error)};
}

}  // namespace

FileContent read_whole_file(const std::string& path, std::uint64_t limit) {
    // Without O_NONBLOCK a named pipe with no writer would block the load for ever.
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

    struct stat status {};

    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        return failed(errno);
    }
    if (S_ISDIR(status.st_mode)) {
        return failed(EISDIR);
    }
    if (!S_ISREG(status.st_mode)) {
        return {std::nullopt, "Not a regular file"};
    }
    if (static_cast<std::uint64_t>(status.st_size) > limit) {
        return failed(EFBIG);
    }
    std::string bytes;
    bytes.resize(static_cast<std::size_t>(status.st_size) + 1);
    std::size_t size = 0;
    for (;;) {
        if (size == bytes.size()) {
            bytes.resize(bytes.size() * 2);
        }
        const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failed(errno);
        }
        size += static_cast<std::size_t>(got);
        if (size > limit) {
            return failed(EFBIG);
        }
        if (got == 0) {
            bytes.resize(size);
            return {std::move(bytes), {}};
        }
    }
}

Inputs::Inputs()
    : Inputs([](const std::string& name) -> std::optional<std::string> {
          // Nothing in this program changes the environment, so reading it is safe on any thread.
          const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
          return value == nullptr ? std::nullopt : std::optional<std::string>{value};
      }) {}

Inputs::Inputs(Environment environment) : environment_(std::move(environment)) {}

const FileContent& Inputs::file(const std::string& path) {
    used_.insert(path);
    auto found = files_.find(path);
    if (found == files_.end()) {
        found = files_.emplace(path, read_whole_file(path, file_limit)).first;
    }
    return found->second;
}

std::optional<std::string> Inputs::variable(const std::string& name) const {
    return environment_(name);
}

std::set<std::string> Inputs::take_used() {
    return std::exchange(used_, {});
}

void Inputs::note_used(const std::set<std::string>& paths) {
    used_.insert(paths.begin(), paths.end());
}

std::string absolute_path(const std::string& directory, const std::string& path) {
    return (std::filesystem::path{directory} / path).lexically_normal().string();
}

}  // namespace sonde::config

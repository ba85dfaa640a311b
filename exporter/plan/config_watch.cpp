// inotify on an Asio executor.
#include "exporter/plan/config_watch.hpp"

#include "exporter/plan/watch_points.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

namespace {

// No IN_MODIFY: a file is read when its writer has closed it. IN_CREATE is needed for links, which
// nobody closes; IN_ATTRIB for a file that becomes readable.
constexpr std::uint32_t interesting = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                                      IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                      IN_ONLYDIR;

int open_inotify() {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        throw std::system_error{errno, std::generic_category(), "inotify_init1"};
    }
    return fd;
}

}  // namespace

/// Kept alive by the handlers under way; `closed` says that its owner has gone.
class ConfigWatch::State : public std::enable_shared_from_this<State> {
public:
    State(asio::any_io_executor executor,
          std::chrono::nanoseconds debounce,
          std::function<void()> changed)
        : inotify_(executor, open_inotify()),
          quiet_(executor),
          debounce_(debounce),
          changed_(std::move(changed)) {}

    std::vector<std::string> watch(std::vector<std::string> paths);
    void read();
    void close();

private:
    std::vector<std::string> arm();
    void handle(std::string_view events);
    [[nodiscard]] bool matters(const inotify_event& event, std::string_view name) const;
    void note_change();
    void fire();

    asio::posix::stream_descriptor inotify_;
    asio::steady_timer quiet_;
    std::chrono::nanoseconds debounce_;
    std::function<void()> changed_;
    std::vector<std::string> paths_;
    /// By watch descriptor. inotify gives one descriptor for each inode, so two paths to one
    /// directory share.
    std::map<int, std::set<std::string, std::less<>>> names_;
    alignas(inotify_event) std::array<char, 16384> buffer_{};
    std::optional<asio::steady_timer::time_point>
        give_up_;  // when a pending change is told at the latest
    bool closed_ = false;
};

std::vector<std::string> ConfigWatch::State::watch(std::vector<std::string> paths) {
    paths_ = std::move(paths);
    return arm();
}

std::vector<std::string> ConfigWatch::State::arm() {
    std::vector<std::string> problems;
    std::map<int, std::set<std::string, std::less<>>> names;
    for (const auto& [directory, wanted] : watch_points(paths_)) {
        // Adding a watch that is there gives the same descriptor: nothing is missed in between.
        const int watch =
            ::inotify_add_watch(inotify_.native_handle(), directory.c_str(), interesting);
        if (watch < 0) {
            const std::string reason = std::generic_category().message(errno);
            problems.push_back("cannot watch " + directory + ": " + reason);
            continue;
        }
        names[watch].insert(wanted.begin(), wanted.end());
    }
    for (const auto& [watch, unused] : names_) {
        if (!names.contains(watch)) {
            // Fails when the directory is gone, which removed the watch already.
            (void)::inotify_rm_watch(inotify_.native_handle(), watch);
        }
    }
    names_ = std::move(names);
    return problems;
}

void ConfigWatch::State::read() {
    inotify_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
            if (self->closed_) {
                return;
            }
            if (error) {
                throw boost::system::system_error{error, "reading inotify"};
            }
            self->handle({self->buffer_.data(), size});
            self->read();
        });
}

void ConfigWatch::State::handle(std::string_view events) {
    bool change = false;
    while (events.size() >= sizeof(inotify_event)) {
        inotify_event event{};
        std::memcpy(&event, events.data(), sizeof event);
        // The name is padded with NULs up to `len`.
        const std::string_view padded = events.substr(sizeof event, event.len);
        change |= matters(event, padded.substr(0, padded.find('\0')));
        events.remove_prefix(std::min(events.size(), sizeof event + event.len));
    }
    if (change) {
        note_change();
    }
}

bool ConfigWatch::State::matters(const inotify_event& event, std::string_view name) const {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
        return true;
    }
    const auto found = names_.find(event.wd);
    if (found == names_.end()) {
        return false;
    }
    if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        return true;
    }
    return !name.empty() && (found->second.contains(name) || found->second.contains(""));
}

void ConfigWatch::State::note_change() {
    const auto now = asio::steady_timer::clock_type::now();
    if (!give_up_) {
        give_up_ = now + 10 * debounce_;
    }
    quiet_.expires_at(std::min(now + debounce_, *give_up_));
    quiet_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (!error && !self->closed_) {
            self->fire();
        }
    });
}

void ConfigWatch::State::fire() {
    if (!give_up_) {
        return;  // two waits may end together when one was renewed too late to be cancelled
    }
    give_up_.reset();
    // What the paths lead to may be other directories now. Problems were told when the list was
    // set.
    (void)arm();
    changed_();
}

void ConfigWatch::State::close() {
    closed_ = true;
    quiet_.cancel();
    inotify_.close();
}

ConfigWatch::ConfigWatch(asio::any_io_executor executor,
                         std::chrono::nanoseconds debounce,
                         std::function<void()> changed)
    : state_(std::make_shared<State>(std::move(executor), debounce, std::move(changed))) {
    state_->read();
}

ConfigWatch::~ConfigWatch() {
    state_->close();
}

std::vector<std::string> ConfigWatch::watch(std::vector<std::string> paths) {
    return state_->watch(std::move(paths));
}

}  // namespace sonde::exporter

// When reloads happen: one at a time, and requests that come meanwhile share the next one. Knows
// nothing of what a reload does.
#pragma once

#include "exporter/engine/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sonde::exporter {

/// All members are used on the executor's thread.
class Reloads {
public:
    /// Reloads once, for the reason given; the errors as text, or nothing.
    using Reload =
        std::function<boost::asio::awaitable<std::optional<std::string>>(std::string why)>;

    /// The error of a reload that does not come any more.
    static constexpr const char* shutting_down = "Sonde is shutting down\n";

    /// Reloads run in `tasks`, which must outlive this. None runs before open().
    Reloads(boost::asio::any_io_executor executor, TaskGroup& tasks, Reload reload);

    /// Completes with what came of a reload that began after this call. An exception that leaves it
    /// counts as its error.
    boost::asio::awaitable<std::optional<std::string>> request(std::string why);

    void open();

    /// No more reloads: what waits for one gets an error. Completes when the one under way has
    /// ended.
    boost::asio::awaitable<void> close();

private:
    struct Round {
        Round(const boost::asio::any_io_executor& executor, std::string reason);

        std::string why;
        bool done = false;
        std::optional<std::string> errors;
        boost::asio::steady_timer ended;  // never expires; cancelled when done
    };

    void start();
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<std::optional<std::string>> attempt(std::string why);
    static void end(Round& round, std::optional<std::string> errors);

    boost::asio::any_io_executor executor_;
    TaskGroup& tasks_;
    Reload reload_;
    std::shared_ptr<Round> next_;
    bool open_ = false;
    bool closed_ = false;
    bool busy_ = false;
    boost::asio::steady_timer idle_;  // never expires; cancelled when no longer busy
};

}  // namespace sonde::exporter

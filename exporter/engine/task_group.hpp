// A set of coroutines that run on one executor and end together: start, cancel, join.
// Owns their cancellation; knows nothing of what they do. Everything long-lived is started in one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace sonde::exporter {

/// All members are called on the executor's thread, or while nothing runs on it. The executor's
/// context must outlive the group.
class TaskGroup {
public:
    /// Gets an exception that left a task. operation_aborted after cancel() is no error and not
    /// told.
    using ErrorHandler = std::function<void(std::exception_ptr)>;

    TaskGroup(boost::asio::any_io_executor executor, ErrorHandler on_error);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    /// Cancels what still runs and does not wait for it.
    ~TaskGroup();

    /// Starts `task` on the executor. After cancel() the task is destroyed without having run.
    void spawn(boost::asio::awaitable<void> task);

    /// Asks every task to end: its pending operation completes with operation_aborted, and the next
    /// co_await after that throws it. A task that has not begun never does. Final; calling it again
    /// does nothing.
    void cancel();

    /// Completes once no task is left; does not cancel by itself. Any number of coroutines may
    /// join.
    [[nodiscard]] boost::asio::awaitable<void> join();

    [[nodiscard]] std::size_t size() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace sonde::exporter

// Starts coroutines with a cancellation signal each and counts them out again.
// The state is shared with the completion handlers, which may outlive the group.
#include "exporter/engine/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <list>
#include <utility>

namespace sonde::exporter {

namespace asio = boost::asio;

struct TaskGroup::State {
    struct Task {
        asio::cancellation_signal signal;
        bool started = false;
        bool ended = false;
    };

    using Place = std::list<Task>::iterator;

    /// co_spawn's completion handler. It brings its slot by itself: with bind_cancellation_slot,
    /// Asio 1.81 dispatches emit() with a bare pointer into the signal, which may be gone by then.
    struct Completion {
        using cancellation_slot_type = asio::cancellation_slot;

        [[nodiscard]] asio::cancellation_slot get_cancellation_slot() const noexcept {
            return place->signal.slot();
        }

        void operator()(std::exception_ptr error) { state->end(place, error); }

        std::shared_ptr<State> state;
        Place place;
    };

    /// Asio 1.81 lets operation_aborted escape from run() when a coroutine is cancelled before it
    /// has been resumed once by the context (co_spawn_entry_point awaits a post outside of its try
    /// block). So a task is resumed once before it can be cancelled.
    static asio::awaitable<void> run(std::shared_ptr<State> state,
                                     Place place,
                                     asio::awaitable<void> task) {
        co_await asio::post(asio::use_awaitable);
        place->started = true;
        if (!state->cancelled) {
            co_await std::move(task);
        }
    }

    State(asio::any_io_executor on, ErrorHandler handler)
        : executor(std::move(on)),
          on_error(std::move(handler)),
          emptied(executor) {
        emptied.expires_at(asio::steady_timer::time_point::max());
    }

    void cancel() {
        if (std::exchange(cancelled, true)) {
            return;
        }
        // A task may end inside emit(); its signal must stay alive until emit() has returned.
        emitting = true;
        for (auto& task : tasks) {
            if (task.started && !task.ended) {
                task.signal.emit(asio::cancellation_type::terminal);
            }
        }
        emitting = false;
        tasks.remove_if([](const Task& task) { return task.ended; });
        tell_if_empty();
    }

    void end(Place task, std::exception_ptr error) {
        if (emitting) {
            task->ended = true;
        } else {
            tasks.erase(task);
        }
        if (error && !(cancelled && is_abort(error))) {
            on_error(error);
        }
        tell_if_empty();
    }

    static asio::awaitable<void> wait_until_empty(std::shared_ptr<State> state) {
        while (!state->tasks.empty()) {
            co_await state->emptied.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    void tell_if_empty() {
        if (tasks.empty()) {
            emptied.cancel();
        }
    }

    static bool is_abort(const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const boost::system::system_error& thrown) {
            return thrown.code() == asio::error::operation_aborted;
        } catch (...) {  // any other exception is told to on_error
            return false;
        }
    }

    asio::any_io_executor executor;
    ErrorHandler on_error;
    std::list<Task> tasks;
    asio::steady_timer emptied;  // never expires; cancelled to wake those who join
    bool cancelled = false;
    bool emitting = false;
};

TaskGroup::TaskGroup(asio::any_io_executor executor, ErrorHandler on_error)
    : state_(std::make_shared<State>(std::move(executor), std::move(on_error))) {}

TaskGroup::~TaskGroup() {
    state_->cancel();
}

void TaskGroup::spawn(asio::awaitable<void> task) {
    if (state_->cancelled) {
        return;
    }
    const auto place = state_->tasks.emplace(state_->tasks.end());
    asio::co_spawn(state_->executor,
                   State::run(state_, place, std::move(task)),
                   State::Completion{state_, place});
}

void TaskGroup::cancel() {
    state_->cancel();
}

asio::awaitable<void> TaskGroup::join() {
    return State::wait_until_empty(state_);
}

std::size_t TaskGroup::size() const {
    return state_->tasks.size();
}

}  // namespace sonde::exporter

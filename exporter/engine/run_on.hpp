// Work that takes long, away from the thread that waits for it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace sonde::exporter {

/// Runs `work` on `background` and resumes the caller on its own executor with what it returned or
/// threw. Not by co_spawn: cancelling across executors is not safe there in Asio 1.81. Cancellation
/// waits for the work to end.
template <typename Work, typename Result = decltype(std::declval<Work&>()())>
boost::asio::awaitable<Result> run_on(boost::asio::any_io_executor background, Work work) {
    namespace asio = boost::asio;
    return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, Result)>(
        [](auto handler, asio::any_io_executor where, Work task) {
            auto back = asio::make_work_guard(asio::get_associated_executor(handler));
            asio::post(where,
                       [handler = std::move(handler),
                        back = std::move(back),
                        task = std::move(task)]() mutable {
                           std::exception_ptr error;
                           Result result{};
                           try {
                               result = task();
                           } catch (...) {  // goes on in the caller
                               error = std::current_exception();
                           }
                           asio::post(back.get_executor(),
                                      [handler = std::move(handler),
                                       error,
                                       result = std::move(result)]() mutable {
                                          std::move(handler)(error, std::move(result));
                                      });
                       });
        },
        asio::use_awaitable,
        std::move(background),
        std::move(work));
}

}  // namespace sonde::exporter

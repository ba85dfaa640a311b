// An HttpServer on a thread of its own, for tests that are its clients.
#pragma once

#include "exporter/server/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>

namespace sonde::exporter::test {

class RunningServer {
public:
    explicit RunningServer(HttpHandler handler,
                           HttpServer::Limits limits = {},
                           const std::string& listen_on = "127.0.0.1:0")
        : server_(context_, std::move(handler), limits),
          address_(server_.listen(listen_on)),
          work_(context_.get_executor()),
          thread_([this] { context_.run(); }) {}

    RunningServer(const RunningServer&) = delete;
    RunningServer& operator=(const RunningServer&) = delete;

    ~RunningServer() {
        shut_down(std::chrono::seconds{0}).wait();
        work_.reset();
        thread_.join();
    }

    std::future<void> shut_down(std::chrono::nanoseconds grace) {
        return boost::asio::co_spawn(context_, server_.shut_down(grace), boost::asio::use_future);
    }

    [[nodiscard]] const std::string& address() const { return address_; }

    boost::asio::io_context& context() { return context_; }

private:
    boost::asio::io_context context_{1};
    HttpServer server_;
    std::string address_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

}  // namespace sonde::exporter::test

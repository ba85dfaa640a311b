// GET /debug/probe?target=NAME: one check of a target now, with each of its steps, as a page or as
// JSON. Owns the threads that such checks run on; what they measure is recorded nowhere.
#pragma once

#include "config/service.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/server/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>

namespace sonde::exporter {

class DebugProbe {
public:
    /// Anybody who can reach the port may ask, so that few are answered at a time.
    static constexpr std::size_t at_once = 2;

    /// `plan`: the running plan, asked for on the server's thread.
    DebugProbe(std::function<std::shared_ptr<const Plan>()> plan, config::Engine settings);
    /// Waits for the checks under way: their answers must have been given before.
    ~DebugProbe();
    DebugProbe(const DebugProbe&) = delete;
    DebugProbe& operator=(const DebugProbe&) = delete;

    /// Checks the target and tells. 404: no target has that name; 429: enough checks are under way.
    /// On the server's executor, which is not held up; a client that goes away ends nothing.
    boost::asio::awaitable<HttpResponse> answer(const HttpRequest& request);

    /// Ends the checks under way, and those to come at once.
    void stop() { stop_.request_stop(); }

private:
    std::function<std::shared_ptr<const Plan>()> plan_;
    config::Engine settings_;
    std::size_t under_way_ = 0;
    std::stop_source stop_;
    boost::asio::thread_pool threads_{at_once};
};

}  // namespace sonde::exporter

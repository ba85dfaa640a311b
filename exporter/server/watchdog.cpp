// Arms and re-arms the timer. A late completion of the timer must find nothing that is gone.
#include "exporter/server/watchdog.hpp"

namespace sonde::exporter {

namespace asio = boost::asio;
using boost::system::error_code;

HttpWatchdog::HttpWatchdog(Socket& socket) : socket_(socket), timer_(socket.get_executor()) {}

void HttpWatchdog::expect_within(std::chrono::nanoseconds limit) {
    fired_ = false;
    arm(limit);
}

void HttpWatchdog::rest() {
    fired_ = false;
    timer_.expires_at(asio::steady_timer::time_point::max());
}

void HttpWatchdog::arm(std::chrono::nanoseconds limit) {
    timer_.expires_after(limit);
    timer_.async_wait([this, alive = std::weak_ptr<void>(alive_)](const error_code& error) {
        // A completion that was queued when the timer was set anew comes without an error.
        if (error || alive.expired() || timer_.expiry() > asio::steady_timer::clock_type::now()) {
            return;
        }
        fired_ = true;
        error_code ignored;
        socket_.cancel(ignored);
        // A composed operation can be between two steps and have nothing to cancel right now.
        arm(std::chrono::milliseconds{100});
    });
}

}  // namespace sonde::exporter

// What a probe may use of the world: one for each worker, all of it on that worker's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>

namespace sonde::probes {

namespace net {
class Clock;
class ConnectionPool;
class Reactor;
class Resolver;
}  // namespace net

class Trace;

struct Env {
    boost::asio::any_io_executor executor;
    const net::Clock& clock;
    net::Reactor& reactor;
    net::Resolver& resolver;
    net::ConnectionPool& connections;
    Trace* trace = nullptr;  // where a check notes its steps for a person; null when nobody looks
};

}  // namespace sonde::probes

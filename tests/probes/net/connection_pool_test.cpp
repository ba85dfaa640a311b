// Connections kept between requests: who gets which, how many, and for how long.
#include "probes/net/connection_pool.hpp"

#include "tests/support/manual_clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace sonde::probes::net;
namespace asio = boost::asio;

namespace {

/// Notes that it was closed.
class Fake final : public PooledConnection {
public:
    Fake(int number, std::vector<int>& closed, bool good = true)
        : number_(number),
          closed_(closed),
          good_(good) {}

    ~Fake() override { closed_.push_back(number_); }

    [[nodiscard]] bool usable() override { return good_; }

    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
    std::vector<int>& closed_;
    bool good_;
};

struct World {
    asio::io_context context{1};
    Reactor reactor{context};
    std::vector<int> closed;
    ConnectionPool pool{reactor, Clock::system(), 2};
    std::vector<ConnectionPool::Lease> leases;
    std::vector<std::string> got;

    /// Asks for a lease, which goes into `leases`, under a name that goes into `got`.
    void ask(const std::string& name,
             const ConnectionPool::Key& key,
             ConnectionPool::Limits limits,
             asio::cancellation_signal* cancel = nullptr) {
        asio::co_spawn(
            context,
            pool.acquire(key, limits),
            asio::bind_cancellation_slot(
                cancel != nullptr ? cancel->slot() : asio::cancellation_slot{},
                [this, name](std::exception_ptr, std::optional<ConnectionPool::Lease> lease) {
                    got.push_back(name + (lease ? "" : " cancelled"));
                    if (lease) {
                        leases.push_back(*std::move(lease));
                    }
                }));
    }

    /// Runs what is ready; the reactor's own waiting is not.
    void settle() {
        for (int i = 0; i < 10; ++i) {
            reactor.wake();
            context.run_one();
        }
    }

    ~World() {
        leases.clear();
        pool.close();
        reactor.close();
        reactor.wake();
        context.run();
    }
};

std::unique_ptr<PooledConnection> fake(World& world, int number, bool good = true) {
    return std::make_unique<Fake>(number, world.closed, good);
}

}  // namespace

TEST_CASE("connection pool: what is kept is found again under its key, the latest first") {
    World world;
    for (int i = 0; i < 2; ++i) {
        world.ask("a", "key", {.idle = 2});
        world.settle();
    }
    REQUIRE(world.leases.size() == 2);
    CHECK(world.leases[0].take() == nullptr);
    world.leases[0].keep(fake(world, 1));
    world.leases[1].keep(fake(world, 2));
    world.leases.clear();
    CHECK(world.pool.idle() == 2);
    world.ask("other", "another key", {});
    world.ask("same", "key", {});
    world.settle();
    REQUIRE(world.leases.size() == 2);
    CHECK(world.leases[0].take() == nullptr);
    const auto found = world.leases[1].take();
    REQUIRE(found != nullptr);
    CHECK(static_cast<Fake&>(*found).number() == 2);
}

TEST_CASE("connection pool: a dead one is closed and counted") {
    World world;
    world.ask("a", "key", {});
    world.settle();
    world.leases[0].keep(fake(world, 1, false));
    world.leases.clear();
    world.ask("b", "key", {});
    world.settle();
    REQUIRE(world.leases.size() == 1);
    CHECK(world.leases[0].take() == nullptr);
    CHECK(world.leases[0].dead() == 1);
    CHECK(world.closed == std::vector<int>{1});
}

TEST_CASE("connection pool: no more are kept than each key and the pool may have") {
    World world;
    for (const char* const key : {"a", "a", "b", "c"}) {
        world.ask(key, key, {.idle = 1});
    }
    world.settle();
    REQUIRE(world.leases.size() == 4);
    for (int i = 0; i < 4; ++i) {
        world.leases[static_cast<std::size_t>(i)].keep(fake(world, i));
    }
    // The second of "a" had no place, and the first made room for "c".
    CHECK(world.closed == std::vector<int>{1, 0});
    CHECK(world.pool.idle() == 2);
    world.pool.close_idle();
    CHECK(world.pool.idle() == 0);
}

TEST_CASE("connection pool: over the limit one waits for another, in order") {
    World world;
    const ConnectionPool::Limits one{.idle = 1, .open = 1};
    asio::cancellation_signal cancel;
    world.ask("first", "key", one);
    world.ask("second", "key", one, &cancel);
    world.ask("third", "key", one);
    world.settle();
    CHECK(world.got == std::vector<std::string>{"first"});
    cancel.emit(asio::cancellation_type::terminal);
    world.settle();
    CHECK(world.got == std::vector<std::string>{"first", "second cancelled"});
    world.leases.clear();
    world.ask("fourth", "key", one);
    world.settle();
    CHECK(world.got == std::vector<std::string>{"first", "second cancelled", "third"});
    world.leases.clear();
    world.settle();
    CHECK(world.got.back() == "fourth");
}

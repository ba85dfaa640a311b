#include "probes/net/resolver.hpp"

#include "probes/net/reactor.hpp"

#include "tests/support/dns_server.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <fstream>
#include <optional>
#include <string>

namespace asio = boost::asio;
using namespace sonde::probes::net;
using namespace sonde::tests;
using namespace std::chrono_literals;

namespace {

struct Asker {
    explicit Asker(Resolver::Options options)
        : resolver{reactor, Clock::system(), std::move(options)} {}

    Resolution ask(const std::string& name) {
        std::optional<Resolution> answer;
        asio::co_spawn(context, resolver.resolve(name), [&](std::exception_ptr, Resolution got) {
            answer = std::move(got);
            reactor.wake();
        });
        while (!answer) {
            context.run_one();
        }
        return std::move(*answer);
    }

    asio::io_context context{1};
    Reactor reactor{context};
    Resolver resolver;
};

Resolver::Options with(const DnsServer& server) {
    Resolver::Options options;
    options.servers = {server.address()};
    options.resend_after = 100ms;
    return options;
}

}  // namespace

TEST_CASE("names become addresses of both families, through CNAMEs") {
    DnsServer server{{{"shop.example", {.a = {"192.0.2.1", "192.0.2.2"}, .aaaa = {"2001:db8::1"}}},
                      {"www.example", {.cname = "shop.example"}}}};
    Asker asker{with(server)};
    CHECK(asker.ask("shop.example.").addresses.size() == 3);
    CHECK(asker.ask("www.example.").addresses.size() == 3);
    CHECK(asker.resolver.resends() == 0);
}

TEST_CASE("each way to have no address has its own words") {
    DnsServer server{{{"empty.example", {}},
                      {"broken.example", {.code = DnsCode::server_failure}},
                      {"no.example", {.code = DnsCode::refused}}}};
    Asker asker{with(server)};
    CHECK(asker.ask("missing.example.").error.starts_with("NXDOMAIN"));
    CHECK(asker.ask("empty.example.").error == "the name has no address");
    CHECK(asker.ask("broken.example.").error.starts_with("SERVFAIL"));
    CHECK(asker.ask("no.example.").error.starts_with("REFUSED"));
    CHECK(asker.ask("missing.example.").addresses.empty());
}

TEST_CASE("a lost query is sent again and counted") {
    DnsServer server{
        {{"lossy.example", {.a = {"192.0.2.1"}, .aaaa = {"2001:db8::1"}, .ignore = 1}}}};
    Asker asker{with(server)};
    CHECK(asker.ask("lossy.example.").addresses.size() == 2);
    CHECK(asker.resolver.resends() >= 1);
}

TEST_CASE("a question is cancelled at once and its late answer hurts nobody") {
    DnsServer server{
        {{"silent.example", {.silent = true}}, {"shop.example", {.a = {"192.0.2.1"}}}}};
    Asker asker{with(server)};
    asio::cancellation_signal cancel;
    std::optional<Resolution> answer;
    asio::co_spawn(
        asker.context,
        asker.resolver.resolve("silent.example."),
        asio::bind_cancellation_slot(
            cancel.slot(), [&](std::exception_ptr, Resolution got) { answer = std::move(got); }));
    Alarm soon{asker.reactor, [&] {
                   REQUIRE_FALSE(answer);
                   cancel.emit(asio::cancellation_type::terminal);
                   REQUIRE(answer);
               }};
    soon.set(Clock::system().now());
    while (!answer) {
        asker.context.run_one();
    }
    CHECK(answer->cancelled);
    CHECK(asker.ask("shop.example.").addresses.size() == 1);
}

TEST_CASE("a silent name server is an error in the end, not a hang") {
    DnsServer server{{{"silent.example", {.silent = true}}}};
    Resolver::Options options = with(server);
    options.resend_after = 20ms;
    options.tries = 2;
    Asker asker{std::move(options)};
    CHECK(asker.ask("silent.example.").error == "no answer from the name server");
    CHECK(asker.resolver.resends() >= 2);
}

TEST_CASE("names of the hosts file and literals need no name server") {
    DnsServer server{{}};
    Asker asker{with(server)};
    CHECK_FALSE(asker.ask("localhost").addresses.empty());
    CHECK(server.queries().empty());
}

TEST_CASE("a changed resolv.conf is used from the next second on") {
    TempDir directory;
    const std::string path = (directory.path() / "resolv.conf").string();
    std::ofstream{path} << "search one.example\nnameserver 127.0.0.1\n";
    DnsServer server{
        {{"shop.one.example", {.a = {"192.0.2.1"}}}, {"shop.two.example", {.a = {"192.0.2.2"}}}}};
    Resolver::Options options = with(server);
    options.resolv_conf = path;
    asio::io_context context{1};
    ManualClock clock;
    Reactor reactor{context};
    Resolver resolver{reactor, clock, options};
    const auto ask = [&] {
        std::optional<Resolution> answer;
        asio::co_spawn(context, resolver.resolve("shop"), [&](std::exception_ptr, Resolution got) {
            answer = std::move(got);
            reactor.wake();
        });
        while (!answer) {
            context.run_one();
        }
        REQUIRE(answer->addresses.size() == 1);
        return answer->addresses.front().address();
    };
    CHECK(ask() == "192.0.2.1");
    std::ofstream{path} << "search two.example\nnameserver 127.0.0.1\n# changed\n";
    CHECK(ask() == "192.0.2.1");
    clock.advance(1s);
    CHECK(ask() == "192.0.2.2");
}

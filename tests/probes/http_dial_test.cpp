// Which address an http check connects to, from where, and whom it asks for it.
#include "probes/net/dial_settings.hpp"

#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

net::Endpoint address(const std::string& literal) {
    return net::Endpoint::from_literal(literal).value();
}

std::string url_of(const std::string& host, const ScriptedServer& server) {
    return "http://" + host + ":" + std::to_string(server.port()) + "/";
}

}  // namespace

TEST_CASE("the address that is chosen") {
    const std::vector<net::Endpoint> both{
        address("2001:db8::1"), address("192.0.2.1"), address("192.0.2.2")};
    const std::vector<net::Endpoint> only_v4{address("192.0.2.1")};
    const auto chosen = [](const net::DialSettings& settings,
                           const std::vector<net::Endpoint>& addresses) {
        const auto found = settings.choose(addresses);
        return found ? found->address() : "none";
    };
    CHECK(chosen({}, both) == "2001:db8::1");
    CHECK(chosen({.prefer = net::IpProtocol::ip4}, both) == "192.0.2.1");
    CHECK(chosen({.prefer = net::IpProtocol::ip6}, both) == "2001:db8::1");
    CHECK(chosen({.prefer = net::IpProtocol::ip6}, only_v4) == "192.0.2.1");
    CHECK(chosen({.prefer = net::IpProtocol::ip6, .fallback = false}, only_v4) == "none");
    CHECK(chosen({}, {}) == "none");
    net::DialSettings from_v4;
    from_v4.local.address = address("192.0.2.9");
    CHECK(chosen(from_v4, both) == "192.0.2.1");
    net::DialSettings from_v6;
    from_v6.local.address = address("2001:db8::9");
    CHECK(chosen(from_v6, only_v4) == "none");
}

TEST_CASE("an IP protocol is preferred or demanded, for names and literals") {
    DnsServer dns({{"site.test", {.a = {"127.0.0.1"}}}});
    ScriptedServer server({answer(response("ok"))});
    const auto check = [&](const std::string& host, const std::string& settings) {
        return check_site(url_of(host, server),
                          {.settings = settings, .dns_server = dns.address()});
    };
    CHECK(check("site.test", "ip_protocol = \"ip6\"").failure == Failure::none);
    const ProbeResult name =
        check("site.test", "ip_protocol = \"ip6\"\nip_protocol_fallback = false");
    CHECK(name.failure == Failure::resolve_failed);
    CHECK(name.detail == "resolving site.test: no IPv6 address");
    CHECK(phases_of(name) == "resolve");
    const ProbeResult literal =
        check("127.0.0.1", "ip_protocol = \"ip6\"\nip_protocol_fallback = false");
    CHECK(literal.failure == Failure::resolve_failed);
    CHECK(literal.detail == "resolving 127.0.0.1: it is no IPv6 address");
}

TEST_CASE("IPv6 is taken where the name has both" * doctest::skip(!has_ipv6())) {
    DnsServer dns({{"site.test", {.a = {"127.0.0.1"}, .aaaa = {"::1"}}}});
    ScriptedServer server({answer(response("ok"))}, IpFamily::v6);
    const ProbeResult result =
        check_site(url_of("site.test", server),
                   {.settings = "ip_protocol = \"ip6\"", .dns_server = dns.address()});
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::ip_protocol) == 6);
}

TEST_CASE("a pinned address keeps the name for Host, and is the target's own host's only") {
    ScriptedServer server({answer(response("ok"))});
    const ProbeResult result =
        check_site(url_of("shop.test", server), {.settings = "resolve = \"127.0.0.1\""});
    CHECK(result.failure == Failure::none);
    CHECK(phases_of(result) == "connect processing transfer other");
    CHECK(server.finished()[0].hosts() ==
          std::vector{"shop.test:" + std::to_string(server.port())});

    ScriptedServer leaving({answer(redirect_to("http://other.test/"))});
    const ProbeResult elsewhere =
        check_site(url_of("shop.test", leaving), {.settings = "resolve = \"127.0.0.1\""});
    CHECK(elsewhere.failure == Failure::resolve_failed);
    CHECK(mentions(elsewhere.detail, {"other.test"}));
}

TEST_CASE("the source address and interface are used, and what cannot be had is told") {
    ScriptedServer server({answer(response("ok"))});
    CHECK(check_site(server.url(), {.settings = "source_address = \"127.0.0.5\""}).failure ==
          Failure::none);
    CHECK(server.finished()[0].peer_address == "127.0.0.5");

    const ProbeResult foreign =
        check_site(server.url(), {.settings = "source_address = \"192.0.2.1\""});
    CHECK(foreign.failure == Failure::unreachable);
    CHECK(mentions(foreign.detail, {"connecting from 192.0.2.1", "Cannot assign"}));
    CHECK_FALSE(foreign.exhausted);

    const ProbeResult no_device =
        check_site(server.url(), {.settings = "source_interface = \"nosuch0\""});
    CHECK(no_device.failure == Failure::unreachable);
    CHECK(mentions(no_device.detail, {"connecting from nosuch0", "No such device"}));

    CHECK(check_site(server.url(), {.settings = "source_interface = \"lo\""}).failure ==
          Failure::none);
}

TEST_CASE("a target's own name servers are asked instead of the program's") {
    DnsServer program({{"site.test", {.a = {"192.0.2.1"}}}});
    DnsServer own({{"site.test", {.a = {"127.0.0.1"}}}});
    ScriptedServer server({answer(response("ok"))});
    const ProbeResult result = check_site(
        url_of("site.test", server),
        {.settings = "dns_servers = [\"" + own.address() + "\"]", .dns_server = program.address()});
    CHECK(result.failure == Failure::none);
}

TEST_CASE("all addresses of a host are checked, and one that fails fails the check") {
    DnsServer dns({{"site.test", {.a = {"127.0.0.1", "127.0.0.2"}}}});
    ScriptedServer server({answer(response("ok"))});
    Trace trace;
    const ProbeResult result = check_site(
        url_of("site.test", server),
        {.settings = "addresses = \"all\"", .dns_server = dns.address(), .trace = &trace});
    CHECK(result.failure == Failure::connect_refused);
    CHECK(mentions(result.detail, {"1 of 2 addresses failed, first 127.0.0.2: ", "refused"}));
    CHECK(labelled(result, Family::address_success, "127.0.0.1") == 1);
    CHECK(labelled(result, Family::address_success, "127.0.0.2") == 0);
    CHECK(labelled(result, Family::address_duration, "127.0.0.1") > 0);
    CHECK(labelled(result, Family::address_rtt, "127.0.0.1") > 0);
    CHECK(labelled(result, Family::address_rtt, "127.0.0.2") == -1);
    CHECK(phases_of(result) == "resolve");
    CHECK(trace.hops.size() == 2);
    CHECK(dns.queries().size() == 2);  // A and AAAA, once
}

TEST_CASE("all addresses: good ones, and a deadline that passes") {
    const Latch never;
    DnsServer dns({{"site.test", {.a = {"127.0.0.1"}}}});
    ScriptedServer server({answer(response("ok"))});
    const ProbeResult good = check_site(
        url_of("site.test", server),
        {.settings = "addresses = \"all\"\nregex = \"ok\"", .dns_server = dns.address()});
    CHECK(good.success());
    CHECK(labelled(good, Family::address_success, "127.0.0.1") == 1);
    CHECK(phases_of(good) == "resolve connect processing transfer other");

    ScriptedServer silent({{step::read_request(), step::pause(never)}});
    const ProbeResult late =
        check_site(url_of("127.0.0.1", silent),
                   {.settings = "addresses = \"all\"", .timeout = short_deadline});
    CHECK(late.failure == Failure::timeout);
    CHECK(labelled(late, Family::address_success, "127.0.0.1") == 0);
}

TEST_CASE("all addresses: only those of the protocol that is demanded, or why there are none") {
    DnsServer dns({{"site.test", {.a = {"127.0.0.1"}, .aaaa = {"::1"}}}});
    ScriptedServer server({answer(response("ok"))});
    const std::string all = "addresses = \"all\"\nip_protocol_fallback = false\n";
    const ProbeResult v4 =
        check_site(url_of("site.test", server),
                   {.settings = all + "ip_protocol = \"ip4\"", .dns_server = dns.address()});
    CHECK(v4.success());
    CHECK(labelled(v4, Family::address_success, "::1") == -1);
    const ProbeResult none =
        check_site(url_of("127.0.0.1", server), {.settings = all + "ip_protocol = \"ip6\""});
    CHECK(none.failure == Failure::resolve_failed);
    CHECK(mentions(none.detail, {"no IPv6 address"}));
    const ProbeResult nobody =
        check_site(url_of("gone.test", server), {.settings = all, .dns_server = dns.address()});
    CHECK(nobody.failure == Failure::resolve_failed);
    CHECK(mentions(nobody.detail, {"NXDOMAIN"}));
    const ProbeResult pinned = check_site(
        url_of("gone.test", server), {.settings = "addresses = \"all\"\nresolve = \"127.0.0.1\""});
    CHECK(pinned.success());
}

TEST_CASE("an address that the name server says twice is one") {
    DnsServer dns({{"site.test", {.a = {"127.0.0.1", "127.0.0.1"}}}});
    ScriptedServer server({answer(response("ok"))});
    const ProbeResult result =
        check_site(url_of("site.test", server),
                   {.settings = "addresses = \"all\"", .dns_server = dns.address()});
    CHECK(result.success());
    CHECK(std::ranges::count(result.labelled, Family::address_success, &LabelledReading::family) ==
          1);
    CHECK(server.accepted() == 1);
}

TEST_CASE("a host with other letters is looked up, and named to the server, by its A-labels") {
    DnsServer dns({{"xn--bcher-kva.test", {.a = {"127.0.0.1"}}}});
    ScriptedServer server({answer(response("ok"))});
    const ProbeResult result = check_site(url_of("b\xc3\xbc"
                                                 "cher.test",
                                                 server),
                                          {.dns_server = dns.address()});
    CHECK(result.success());
    CHECK(server.finished()[0].hosts() ==
          std::vector<std::string>{"xn--bcher-kva.test:" + std::to_string(server.port())});
}

TEST_CASE("an IPv6 literal with a zone is connected to there, and named without it") {
    if (!has_ipv6()) {
        return;
    }
    ScriptedServer server({answer(response("ok"))}, IpFamily::v6);
    const ProbeResult result = check_site(url_of("[::1%25lo]", server));
    CHECK(result.success());
    CHECK(server.finished()[0].hosts() ==
          std::vector<std::string>{"[::1]:" + std::to_string(server.port())});
}

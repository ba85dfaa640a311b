#include "probes/net/tls_context.hpp"

#include "tests/support/test_ca.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes::net;
using sonde::tests::TestCa;

TEST_CASE("equal settings share one context, which is forgotten when nobody uses it") {
    const TestCa ca;
    const TestCa other;
    std::string error;
    auto context = TlsContext::make({ca.pem()}, error);
    REQUIRE(context);
    CHECK(TlsContext::make({ca.pem()}, error) == context);
    const std::size_t before = TlsContext::remembered();
    context.reset();
    const auto next = TlsContext::make({other.pem()}, error);
    REQUIRE(next);
    CHECK(TlsContext::remembered() == before);
    context = TlsContext::make({ca.pem()}, error);
    REQUIRE(context);
    CHECK(context != next);
    CHECK(error == "");
}

TEST_CASE("what is no certificate leaves nothing behind") {
    const TestCa ca;
    const std::size_t before = TlsContext::remembered();
    std::string error;
    CHECK_FALSE(TlsContext::make({"no PEM"}, error));
    CHECK(error == "no certificate in it; it must hold PEM blocks (-----BEGIN CERTIFICATE-----)");
    std::string broken = ca.pem();
    broken.replace(broken.size() / 2, 4, "????");
    CHECK_FALSE(TlsContext::make({ca.pem() + broken}, error));
    CHECK(error == "certificate 2 cannot be read");
    CHECK(TlsContext::remembered() == before);
}

#include "probes/net/tls_context.hpp"

#include "tests/support/test_ca.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes::net;
using sonde::tests::TestCa;

TEST_CASE("equal settings share one context, which is forgotten when nobody uses it") {
    const TestCa ca;
    const TestCa other;
    TlsProblem problem;
    auto context = TlsContext::make({ca.pem()}, problem);
    REQUIRE(context);
    CHECK(TlsContext::make({ca.pem()}, problem) == context);
    const std::size_t before = TlsContext::remembered();
    context.reset();
    const auto next = TlsContext::make({other.pem()}, problem);
    REQUIRE(next);
    CHECK(TlsContext::remembered() == before);
    context = TlsContext::make({ca.pem()}, problem);
    REQUIRE(context);
    CHECK(context != next);
    CHECK(problem.what == "");
}

TEST_CASE("what is no certificate leaves nothing behind") {
    const TestCa ca;
    const std::size_t before = TlsContext::remembered();
    TlsProblem problem;
    CHECK_FALSE(TlsContext::make({"no PEM"}, problem));
    CHECK(problem.what ==
          "no certificate in it; it must hold PEM blocks (-----BEGIN CERTIFICATE-----)");
    std::string broken = ca.pem();
    broken.replace(broken.size() / 2, 4, "????");
    CHECK_FALSE(TlsContext::make({ca.pem() + broken}, problem));
    CHECK(problem.what == "certificate 2 cannot be read");
    CHECK(TlsContext::remembered() == before);
}

TEST_CASE("a client's certificate needs its own key") {
    const TestCa ca;
    const auto one = ca.issue({});
    const auto other = ca.issue({});
    TlsProblem problem;
    CHECK(TlsContext::make(
        {.ca_pem = ca.pem(), .cert_pem = one.chain_pem(), .key_pem = one.key_pem()}, problem));
    CHECK_FALSE(TlsContext::make(
        {.ca_pem = ca.pem(), .cert_pem = one.chain_pem(), .key_pem = other.key_pem()}, problem));
    CHECK(problem.in == TlsProblem::In::key);
    CHECK(problem.what == "the key is not that of the certificate");
    CHECK_FALSE(TlsContext::make(
        {.ca_pem = ca.pem(), .cert_pem = one.chain_pem(), .key_pem = "no key"}, problem));
    CHECK(problem.in == TlsProblem::In::key);
    CHECK_FALSE(
        TlsContext::make({.ca_pem = ca.pem(), .cert_pem = "x", .key_pem = one.key_pem()}, problem));
    CHECK(problem.in == TlsProblem::In::certificate);
}

TEST_CASE("other versions are another context of the same store") {
    TlsProblem problem;
    const auto plain = TlsContext::make({}, problem);
    const auto modern = TlsContext::make({.min_version = TLS1_3_VERSION}, problem);
    REQUIRE(plain);
    REQUIRE(modern);
    CHECK(plain != modern);
    CHECK(SSL_CTX_get_cert_store(plain->native()) == SSL_CTX_get_cert_store(modern->native()));
    CHECK(SSL_CTX_get_min_proto_version(modern->native()) == TLS1_3_VERSION);
}

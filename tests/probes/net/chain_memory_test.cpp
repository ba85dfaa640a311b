#include "probes/net/chain_memory.hpp"

#include "tests/support/test_ca.hpp"

#include <doctest/doctest.h>

#include <ctime>

using namespace sonde::probes::net;
using namespace sonde::tests;
using namespace std::chrono_literals;

namespace {

ChainMemory::Chain stack_of(const Identity& identity) {
    ChainMemory::Chain chain{sk_X509_new_null()};
    for (const auto& certificate : identity.chain()) {
        X509_up_ref(certificate.get());
        sk_X509_push(chain.get(), certificate.get());
    }
    return chain;
}

CertificateSpec valid_for(std::chrono::seconds length) {
    CertificateSpec spec;
    spec.not_after = length;
    return spec;
}

}  // namespace

TEST_CASE("chain memory: a chain is recalled for its name only") {
    const TestCa ca;
    const auto chain = stack_of(ca.issue());
    const auto other = stack_of(ca.issue());
    const std::time_t now = std::time(nullptr);
    ChainMemory memory;
    const auto key = ChainMemory::key("one.test", chain.get());
    CHECK(ChainMemory::key("one.test", chain.get()) == key);
    CHECK_FALSE(memory.recall(key, now));
    memory.remember(key, chain.get(), now);
    const auto recalled = memory.recall(key, now);
    REQUIRE(recalled);
    CHECK(sk_X509_num(recalled.get()) == sk_X509_num(chain.get()));
    CHECK(sk_X509_value(recalled.get(), 0) == sk_X509_value(chain.get(), 0));
    CHECK_FALSE(memory.recall(ChainMemory::key("two.test", chain.get()), now));
    CHECK_FALSE(memory.recall(ChainMemory::key("one.test", other.get()), now));
}

TEST_CASE("chain memory: the shortest validity and the longest memory bound it") {
    const TestCa ca;
    const std::time_t now = std::time(nullptr);
    ChainMemory memory;
    const auto brief = stack_of(ca.issue(valid_for(60s)));
    const auto brief_key = ChainMemory::key("a", brief.get());
    memory.remember(brief_key, brief.get(), now);
    CHECK(memory.recall(brief_key, now + 50));
    CHECK_FALSE(memory.recall(brief_key, now + 70));
    CHECK_FALSE(memory.recall(brief_key, now - 25 * 3600));  // the clock was set back

    const auto lasting = stack_of(ca.issue(valid_for(24h * 365)));
    const auto lasting_key = ChainMemory::key("a", lasting.get());
    memory.remember(lasting_key, lasting.get(), now);
    CHECK(memory.recall(lasting_key, now + ChainMemory::longest - 1));
    CHECK_FALSE(memory.recall(lasting_key, now + ChainMemory::longest));
    CHECK(memory.size() == 2);
}

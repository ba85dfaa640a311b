// Stapled OCSP responses: whom they are about, who signed them, when, and bytes that are none.
#include "probes/wire/ocsp.hpp"

#include "tests/support/test_ca.hpp"

#include <doctest/doctest.h>
#include <openssl/ocsp.h>

#include <ctime>
#include <string>
#include <vector>

using namespace sonde::probes::wire;  // NOLINT(google-build-using-namespace)
using sonde::tests::CertificateSpec;
using sonde::tests::Identity;
using sonde::tests::TestCa;

namespace {

struct Fixture {
    TestCa ca;
    Identity leaf = ca.issue();

    [[nodiscard]] OcspStaple read(const std::string& der) const {
        return read_from(der, ca.certificate());
    }

    [[nodiscard]] OcspStaple read_from(const std::string& der, const X509* issuer) const {
        const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
        return read_ocsp({bytes, der.size()}, *leaf.certificate(), issuer, std::time(nullptr));
    }
};

bool says(const OcspStaple& staple, std::string_view words) {
    CAPTURE(staple.problem);
    return staple.problem.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("ocsp: good, revoked and unknown, with their times") {
    const Fixture f;
    const std::int64_t now = std::time(nullptr);
    const OcspStaple good = f.read(f.ca.ocsp(f.leaf, {}));
    CHECK(good.problem == "");
    CHECK(good.status == OcspStatus::good);
    CHECK(good.signature_verified);
    CHECK(believed_status(good) == "good");
    REQUIRE(good.this_update);
    REQUIRE(good.next_update);
    CHECK(std::abs(*good.this_update - (now - 3600)) < 60);
    CHECK(std::abs(*good.next_update - (now + 86400)) < 60);
    CHECK_FALSE(good.revoked_at);

    const OcspStaple revoked = f.read(f.ca.ocsp(
        f.leaf,
        {.status = V_OCSP_CERTSTATUS_REVOKED, .reason = OCSP_REVOKED_STATUS_KEYCOMPROMISE}));
    CHECK(revoked.status == OcspStatus::revoked);
    CHECK(believed_status(revoked) == "revoked");
    CHECK(revoked.revocation_reason == "keyCompromise");
    REQUIRE(revoked.revoked_at);
    CHECK(std::abs(*revoked.revoked_at - (now - 7200)) < 60);
    const OcspStaple silent = f.read(f.ca.ocsp(f.leaf, {.status = V_OCSP_CERTSTATUS_REVOKED}));
    CHECK(silent.status == OcspStatus::revoked);
    CHECK(silent.revocation_reason == "");

    const OcspStaple unknown = f.read(f.ca.ocsp(f.leaf, {.status = V_OCSP_CERTSTATUS_UNKNOWN}));
    CHECK(believed_status(unknown) == "unknown");
}

TEST_CASE("ocsp: who may sign") {
    const Fixture f;
    const TestCa stranger("stranger");
    const Identity responder = f.ca.issue({.common_name = "responder", .usage = "OCSPSigning"});
    CHECK(believed_status(f.read(f.ca.ocsp(f.leaf, {.signer = &responder}))) == "good");

    // A certificate of the same authority that is no responder; a responder of another authority.
    const Identity server = f.ca.issue();
    const Identity foreign = stranger.issue({.usage = "OCSPSigning"});
    for (const Identity* signer : {&server, &foreign}) {
        const OcspStaple staple = f.read(f.ca.ocsp(f.leaf, {.signer = signer}));
        CHECK(says(staple, "signature does not hold"));
        CHECK_FALSE(staple.signature_verified);
        CHECK(staple.status == OcspStatus::good);  // what it says is told all the same
        CHECK(believed_status(staple) == "invalid");
    }
    const OcspStaple unchecked = f.read_from(f.ca.ocsp(f.leaf, {}), nullptr);
    CHECK(says(unchecked, "issuer is not known"));
    CHECK(unchecked.status == OcspStatus::good);
    CHECK(believed_status(unchecked) == "invalid");
}

TEST_CASE("ocsp: out of date, of the future, about another certificate") {
    const Fixture f;
    using std::chrono::hours;
    const OcspStaple old =
        f.read(f.ca.ocsp(f.leaf, {.this_update = -hours(48), .next_update = -hours(1)}));
    CHECK(says(old, "out of date"));
    CHECK(old.signature_verified);
    CHECK(believed_status(old) == "invalid");
    CHECK(says(f.read(f.ca.ocsp(f.leaf, {.this_update = hours(1)})), "of the future"));
    // A clock that is a little behind is no problem.
    CHECK(f.read(f.ca.ocsp(f.leaf, {.this_update = std::chrono::minutes(3)})).problem == "");
    const OcspStaple other = f.read(f.ca.ocsp(f.ca.issue(), {}));
    CHECK(says(other, "about another certificate"));
    CHECK_FALSE(other.status);
}

TEST_CASE("ocsp: bytes that are no response, at every length") {
    const Fixture f;
    const std::string whole = f.ca.ocsp(f.leaf, {});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK(says(f.read(whole.substr(0, size)), "no OCSP response"));
    }
    CHECK(says(f.read(whole + "x"), "no OCSP response"));
    CHECK(says(f.read("hello"), "no OCSP response"));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string broken = whole;
        broken[at] = static_cast<char>(broken[at] ^ 0x41);
        CAPTURE(at);
        CHECK(believed_status(f.read(broken)) == "invalid");
    }
    // OCSPResponse { responseStatus tryLater(3) }
    CHECK(says(f.read({"\x30\x03\x0a\x01\x03", 5}), "the responder said trylater"));
}

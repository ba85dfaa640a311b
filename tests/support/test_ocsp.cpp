// The test authority as an OCSP responder.
#include "tests/support/test_ca.hpp"

#include <openssl/ocsp.h>

#include <memory>
#include <stdexcept>

namespace sonde::tests {

namespace {

using Time = std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)>;

Time in(std::chrono::seconds from_now) {
    return {X509_gmtime_adj(nullptr, from_now.count()), &ASN1_TIME_free};
}

/// OCSP wants GeneralizedTime, X509_gmtime_adj gives UTCTime.
Time general(const Time& time) {
    return {ASN1_TIME_to_generalizedtime(time.get(), nullptr), &ASN1_TIME_free};
}

void must(bool good, const char* what) {
    if (!good) {
        throw std::runtime_error(std::string("OCSP: ") + what);
    }
}

}  // namespace

std::string TestCa::ocsp(const Identity& about, const Ocsp& says) const {
    const std::unique_ptr<OCSP_BASICRESP, decltype(&OCSP_BASICRESP_free)> basic{
        OCSP_BASICRESP_new(), &OCSP_BASICRESP_free};
    const std::unique_ptr<OCSP_CERTID, decltype(&OCSP_CERTID_free)> id{
        OCSP_cert_to_id(EVP_sha1(), about.certificate(), own_.certificate()), &OCSP_CERTID_free};
    must(basic && id, "identity");
    const Time this_update = general(in(says.this_update));
    const Time next_update = general(in(says.next_update));
    const Time revoked = general(in(says.this_update - std::chrono::hours(1)));
    must(OCSP_basic_add1_status(basic.get(),
                                id.get(),
                                says.status,
                                says.reason,
                                says.status == V_OCSP_CERTSTATUS_REVOKED ? revoked.get() : nullptr,
                                this_update.get(),
                                next_update.get()) != nullptr,
         "status");
    const Identity& signer = says.signer != nullptr ? *says.signer : own_;
    // The authority's own certificate is known to who checks.
    const unsigned long flags = says.signer != nullptr ? 0 : OCSP_NOCERTS;
    must(OCSP_basic_sign(
             basic.get(), signer.certificate(), signer.key(), EVP_sha256(), nullptr, flags) == 1,
         "signature");
    const std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)> response{
        OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()), &OCSP_RESPONSE_free};
    must(response != nullptr, "response");
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_RESPONSE(response.get(), &der);
    must(size > 0, "encoding");
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

}  // namespace sonde::tests

#include "probes/wire/ocsp.hpp"

#include "probes/wire/certificate.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include <memory>

namespace sonde::probes::wire {

namespace {

using Response = std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)>;
using Basic = std::unique_ptr<OCSP_BASICRESP, decltype(&OCSP_BASICRESP_free)>;
using CertificateId = std::unique_ptr<OCSP_CERTID, decltype(&OCSP_CERTID_free)>;
using Store = std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)>;

constexpr std::int64_t clock_difference = 300;

/// OpenSSL's last words, instead of leaving them to who asks next.
std::string openssl_error() {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    std::string text = reason != nullptr ? reason : "OpenSSL does not say why";
    ERR_clear_error();
    return text;
}

Response parse(std::span<const unsigned char> bytes) {
    const unsigned char* at = bytes.data();
    Response response{d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(bytes.size())),
                      &OCSP_RESPONSE_free};
    ERR_clear_error();
    return response && at == bytes.data() + bytes.size() ? std::move(response)
                                                         : Response{nullptr, &OCSP_RESPONSE_free};
}

/// Whether `id` names the certificate. Without the issuer, whose name and key are hashed in it,
/// there is only the serial number to go by.
bool is_about(const OCSP_CERTID* id, const X509& leaf, const X509* issuer) {
    ASN1_OBJECT* hash = nullptr;
    ASN1_INTEGER* serial = nullptr;
    // It reads `id` only.
    OCSP_id_get0_info(nullptr, &hash, nullptr, &serial, const_cast<OCSP_CERTID*>(id));
    if (issuer == nullptr) {
        return ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(&leaf)) == 0;
    }
    const EVP_MD* digest = EVP_get_digestbyobj(hash);
    if (digest == nullptr) {
        return false;
    }
    const CertificateId own{OCSP_cert_to_id(digest, &leaf, issuer), &OCSP_CERTID_free};
    return own && OCSP_id_cmp(own.get(), id) == 0;
}

OCSP_SINGLERESP* find(OCSP_BASICRESP& basic, const X509& leaf, const X509* issuer) {
    for (int i = 0; i < OCSP_resp_count(&basic); ++i) {
        OCSP_SINGLERESP* single = OCSP_resp_get0(&basic, i);
        if (is_about(OCSP_SINGLERESP_get0_id(single), leaf, issuer)) {
            return single;
        }
    }
    return nullptr;
}

void read_status(OCSP_SINGLERESP& single, OcspStaple& staple) {
    int reason = -1;
    ASN1_GENERALIZEDTIME* revoked = nullptr;
    ASN1_GENERALIZEDTIME* this_update = nullptr;
    ASN1_GENERALIZEDTIME* next_update = nullptr;
    switch (OCSP_single_get0_status(&single, &reason, &revoked, &this_update, &next_update)) {
        case V_OCSP_CERTSTATUS_GOOD:
            staple.status = OcspStatus::good;
            break;
        case V_OCSP_CERTSTATUS_REVOKED:
            staple.status = OcspStatus::revoked;
            staple.revoked_at = unix_seconds(revoked);
            if (reason >= 0) {
                staple.revocation_reason = OCSP_crl_reason_str(reason);
            }
            break;
        default:
            staple.status = OcspStatus::unknown;
    }
    staple.this_update = unix_seconds(this_update);
    staple.next_update = unix_seconds(next_update);
}

/// RFC 6960 section 4.2.2.2: signed by the issuer itself, or by a certificate that the issuer has
/// given id-kp-OCSPSigning. So the issuer alone is trusted here, and no store of roots.
std::string signature_problem(OCSP_BASICRESP& basic, const X509* issuer) {
    if (issuer == nullptr) {
        return "its signature cannot be checked: the certificate's issuer is not known";
    }
    auto* signer = const_cast<X509*>(issuer);  // it is counted, not changed
    const Store trusted{X509_STORE_new(), &X509_STORE_free};
    const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> candidates{
        sk_X509_new_null(), [](STACK_OF(X509) * all) {
            sk_X509_free(all);
        }};
    const bool ready = trusted && candidates && X509_STORE_add_cert(trusted.get(), signer) == 1 &&
                       sk_X509_push(candidates.get(), signer) > 0;
    if (!ready ||
        OCSP_basic_verify(&basic, candidates.get(), trusted.get(), OCSP_PARTIAL_CHAIN) != 1) {
        return "its signature does not hold: " + openssl_error();
    }
    return {};
}

std::string time_problem(const OcspStaple& staple, std::int64_t now) {
    if (!staple.this_update) {
        return "it does not say when it was made";
    }
    if (*staple.this_update > now + clock_difference) {
        return "it is of the future";
    }
    if (staple.next_update && *staple.next_update < now - clock_difference) {
        return "it is out of date";
    }
    return {};
}

}  // namespace

OcspStaple read_ocsp(std::span<const unsigned char> response,
                     const X509& leaf,
                     const X509* issuer,
                     std::int64_t now) {
    OcspStaple staple;
    const Response parsed = parse(response);
    if (!parsed) {
        staple.problem = "it is no OCSP response";
        return staple;
    }
    if (const int said = OCSP_response_status(parsed.get());
        said != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        staple.problem = std::string{"the responder said "} + OCSP_response_status_str(said);
        return staple;
    }
    const Basic basic{OCSP_response_get1_basic(parsed.get()), &OCSP_BASICRESP_free};
    if (!basic) {
        staple.problem = "it holds no basic response: " + openssl_error();
        return staple;
    }
    OCSP_SINGLERESP* single = find(*basic, leaf, issuer);
    if (single == nullptr) {
        staple.problem = "it is about another certificate";
        return staple;
    }
    read_status(*single, staple);
    staple.problem = signature_problem(*basic, issuer);
    staple.signature_verified = staple.problem.empty();
    if (staple.problem.empty()) {
        staple.problem = time_problem(staple, now);
    }
    return staple;
}

std::string_view believed_status(const OcspStaple& staple) {
    return staple.problem.empty() && staple.status ? name(*staple.status) : "invalid";
}

std::string_view name(OcspStatus status) {
    switch (status) {
        case OcspStatus::good:
            return "good";
        case OcspStatus::revoked:
            return "revoked";
        case OcspStatus::unknown:
            break;
    }
    return "unknown";
}

}  // namespace sonde::probes::wire

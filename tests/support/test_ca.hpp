// A certificate authority for tests: certificates of every kind of goodness and badness, made in
// memory.
#pragma once

#include "tests/support/temp_dir.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sonde::tests {

/// What a leaf certificate says. Times are relative to now.
struct CertificateSpec {
    std::string common_name = "sonde test leaf";
    std::vector<std::string> dns_names = {"localhost"};
    std::vector<std::string> addresses = {"127.0.0.1", "::1"};
    std::string more_names = {};  // in OpenSSL's words: "URI:https://a.test,email:a@b.test"
    std::string usage = "serverAuth";
    std::chrono::seconds not_before = -std::chrono::hours(24);
    std::chrono::seconds not_after = std::chrono::hours(24 * 30);

    static CertificateSpec expired();
    static CertificateSpec not_yet_valid();
    /// Valid, for a name that no test server has.
    static CertificateSpec wrong_name();
};

/// A certificate with its key and the intermediates that a server sends along. A cheap value.
class Identity {
public:
    /// The certificate, then its intermediates.
    [[nodiscard]] std::string chain_pem() const;
    [[nodiscard]] std::string key_pem() const;

    struct Files {
        std::filesystem::path chain;
        std::filesystem::path key;
    };

    /// Writes `name`.pem and `name`.key.
    [[nodiscard]] Files write(const TempDir& directory, const std::string& name) const;

    [[nodiscard]] X509* certificate() const { return chain_.front().get(); }

    [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

    [[nodiscard]] const std::vector<std::shared_ptr<X509>>& chain() const { return chain_; }

    [[nodiscard]] std::int64_t not_after_unix() const;

private:
    friend class TestCa;
    std::vector<std::shared_ptr<X509>> chain_;
    std::shared_ptr<EVP_PKEY> key_;
};

/// EC P-256 throughout: making a certificate takes a fraction of a millisecond. OpenSSL's refusals
/// throw std::runtime_error.
class TestCa {
public:
    /// What an OCSP response says. Times are relative to now.
    struct Ocsp {
        int status = 0;   // V_OCSP_CERTSTATUS_*
        int reason = -1;  // OCSP_REVOKED_STATUS_* of a revoked one; -1: none
        std::chrono::seconds this_update = -std::chrono::hours(1);
        std::chrono::seconds next_update = std::chrono::hours(24);
        const Identity* signer = nullptr;  // null: the authority itself; it is sent along
    };

    /// A root of its own, which nobody trusts who was not given pem().
    explicit TestCa(const std::string& common_name = "sonde test root");

    [[nodiscard]] Identity issue(const CertificateSpec& spec = {}) const;
    /// An authority below this one; what it issues carries the intermediate in its chain.
    [[nodiscard]] TestCa intermediate(
        const std::string& common_name = "sonde test intermediate") const;
    [[nodiscard]] static Identity self_signed(const CertificateSpec& spec = {});

    /// DER of a response about a certificate that this authority issued.
    [[nodiscard]] std::string ocsp(const Identity& about, const Ocsp& says) const;

    /// The authority's own certificate.
    [[nodiscard]] X509* certificate() const { return own_.certificate(); }

    /// The root that a client must trust.
    [[nodiscard]] std::string pem() const;
    [[nodiscard]] std::filesystem::path write(const TempDir& directory,
                                              const std::string& name = "ca") const;

private:
    TestCa(Identity own, std::shared_ptr<X509> root);

    Identity own_;
    std::shared_ptr<X509> root_;
};

}  // namespace sonde::tests

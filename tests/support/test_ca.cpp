// X.509 with OpenSSL 3: keys, extensions and signatures of the test authority.
#include "tests/support/test_ca.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <stdexcept>
#include <string_view>

namespace sonde::tests {

namespace {

void must(bool good, const char* what) {
    if (!good) {
        char text[256] = {};
        ERR_error_string_n(ERR_get_error(), text, sizeof text);
        throw std::runtime_error(std::string(what) + ": " + text);
    }
}

std::shared_ptr<EVP_PKEY> make_key() {
    std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    must(key != nullptr, "EVP_EC_gen");
    return key;
}

/// Random, since two certificates of one issuer with one serial number confuse OpenSSL's chain
/// builder.
void set_serial(X509& certificate) {
    unsigned char bytes[16];
    must(RAND_bytes(bytes, sizeof bytes) == 1, "RAND_bytes");
    bytes[0] &= 0x7f;
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
        BN_bin2bn(bytes, sizeof bytes, nullptr), &BN_free);
    must(number != nullptr, "BN_bin2bn");
    must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr,
         "BN_to_ASN1_INTEGER");
}

void add_extension(X509& certificate, X509* issuer, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, &certificate, nullptr, nullptr, 0);
    X509V3_set_ctx_nodb(&context);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), &X509_EXTENSION_free);
    must(extension != nullptr, value.c_str());
    must(X509_add_ext(&certificate, extension.get(), -1) == 1, "X509_add_ext");
}

std::string subject_alternative(const CertificateSpec& spec) {
    std::string text;
    for (const std::string& name : spec.dns_names) {
        text += (text.empty() ? "DNS:" : ",DNS:") + name;
    }
    for (const std::string& address : spec.addresses) {
        text += (text.empty() ? "IP:" : ",IP:") + address;
    }
    if (!spec.more_names.empty()) {
        text += (text.empty() ? "" : ",") + spec.more_names;
    }
    return text;
}

struct Issuer {
    X509* certificate = nullptr;  // null: the new certificate signs itself
    EVP_PKEY* key = nullptr;
};

std::shared_ptr<X509> make_certificate(const CertificateSpec& spec,
                                       EVP_PKEY& key,
                                       const Issuer& issuer,
                                       bool authority) {
    std::shared_ptr<X509> made(X509_new(), &X509_free);
    must(made != nullptr, "X509_new");
    X509* issuing = issuer.certificate == nullptr ? made.get() : issuer.certificate;
    must(X509_set_version(made.get(), X509_VERSION_3) == 1, "X509_set_version");
    set_serial(*made);
    must(X509_gmtime_adj(X509_getm_notBefore(made.get()), spec.not_before.count()) != nullptr,
         "not before");
    must(X509_gmtime_adj(X509_getm_notAfter(made.get()), spec.not_after.count()) != nullptr,
         "not after");
    must(X509_set_pubkey(made.get(), &key) == 1, "X509_set_pubkey");
    const auto* name = reinterpret_cast<const unsigned char*>(spec.common_name.c_str());
    must(X509_NAME_add_entry_by_txt(
             X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1,
         "subject");
    must(X509_set_issuer_name(made.get(), X509_get_subject_name(issuing)) == 1, "issuer");
    add_extension(*made, issuing, NID_subject_key_identifier, "hash");
    if (authority) {
        add_extension(*made, issuing, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(*made, issuing, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        add_extension(*made, issuing, NID_basic_constraints, "critical,CA:FALSE");
        add_extension(*made, issuing, NID_ext_key_usage, spec.usage);
    }
    if (const std::string names = subject_alternative(spec); !names.empty()) {
        add_extension(*made, issuing, NID_subject_alt_name, names);
    }
    EVP_PKEY* signing = issuer.key == nullptr ? &key : issuer.key;
    must(X509_sign(made.get(), signing, EVP_sha256()) > 0, "X509_sign");
    return made;
}

CertificateSpec authority_spec(const std::string& common_name) {
    CertificateSpec spec;
    spec.common_name = common_name;
    spec.dns_names.clear();
    spec.addresses.clear();
    spec.not_after = std::chrono::hours(24 * 365);
    return spec;
}

template <typename Write>
std::string to_pem(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    must(out != nullptr && write(out.get()) == 1, "PEM");
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string certificate_pem(X509& certificate) {
    return to_pem([&](BIO* out) { return PEM_write_bio_X509(out, &certificate); });
}

}  // namespace

CertificateSpec CertificateSpec::expired() {
    CertificateSpec spec;
    spec.not_before = -std::chrono::hours(24 * 30);
    spec.not_after = -std::chrono::hours(24);
    return spec;
}

CertificateSpec CertificateSpec::not_yet_valid() {
    CertificateSpec spec;
    spec.not_before = std::chrono::hours(24);
    return spec;
}

CertificateSpec CertificateSpec::wrong_name() {
    CertificateSpec spec;
    spec.dns_names = {"elsewhere.invalid"};
    spec.addresses.clear();
    return spec;
}

std::string Identity::chain_pem() const {
    std::string text;
    for (const auto& certificate : chain_) {
        text += certificate_pem(*certificate);
    }
    return text;
}

std::string Identity::key_pem() const {
    return to_pem([&](BIO* out) {
        return PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

Identity::Files Identity::write(const TempDir& directory, const std::string& name) const {
    return {directory.write(name + ".pem", chain_pem()), directory.write(name + ".key", key_pem())};
}

std::int64_t Identity::not_after_unix() const {
    std::tm broken_down{};
    must(ASN1_TIME_to_tm(X509_get0_notAfter(certificate()), &broken_down) == 1, "ASN1_TIME_to_tm");
    return ::timegm(&broken_down);
}

TestCa::TestCa(const std::string& common_name) {
    own_.key_ = make_key();
    own_.chain_ = {make_certificate(authority_spec(common_name), *own_.key_, {}, true)};
    root_ = own_.chain_.front();
}

TestCa::TestCa(Identity own, std::shared_ptr<X509> root)
    : own_(std::move(own)),
      root_(std::move(root)) {}

Identity TestCa::issue(const CertificateSpec& spec) const {
    Identity made;
    made.key_ = make_key();
    made.chain_ = {make_certificate(spec, *made.key_, {own_.certificate(), own_.key()}, false)};
    for (const auto& certificate : own_.chain_) {
        if (certificate != root_) {
            made.chain_.push_back(certificate);
        }
    }
    return made;
}

TestCa TestCa::intermediate(const std::string& common_name) const {
    Identity own;
    own.key_ = make_key();
    own.chain_ = {make_certificate(
        authority_spec(common_name), *own.key_, {own_.certificate(), own_.key()}, true)};
    own.chain_.insert(own.chain_.end(), own_.chain_.begin(), own_.chain_.end());
    return {std::move(own), root_};
}

Identity TestCa::self_signed(const CertificateSpec& spec) {
    Identity made;
    made.key_ = make_key();
    made.chain_ = {make_certificate(spec, *made.key_, {}, false)};
    return made;
}

std::string TestCa::pem() const {
    return certificate_pem(*root_);
}

std::filesystem::path TestCa::write(const TempDir& directory, const std::string& name) const {
    return directory.write(name + ".pem", pem());
}

}  // namespace sonde::tests

// Certificate facts of certificates made here; the names are as blackbox_exporter 0.23 writes them.
#include "probes/wire/certificate.hpp"

#include <doctest/doctest.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using sonde::probes::wire::certificate_facts;
using sonde::probes::wire::ChainInfoCache;
using sonde::probes::wire::earliest_expiry;
using sonde::probes::wire::last_chain_expiry;
using sonde::probes::wire::verify_error_name;
using sonde::probes::wire::verify_error_text;

namespace {

constexpr std::int64_t day = 86400;
constexpr std::int64_t new_year_2030 = 1893456000;

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

struct Part {
    const char* field;
    std::string value;
    int type = MBSTRING_UTF8;
    int set = 0;  // -1: into the attribute set before it
};

struct Wanted {
    std::vector<Part> subject{{.field = "CN", .value = "shop.example"}};
    std::vector<Part> issuer{{.field = "CN", .value = "Test CA"}};
    std::string serial = "1";  // hex
    std::string alternative;
    std::int64_t not_after = new_year_2030;
};

void fill(X509_NAME* name, const std::vector<Part>& parts) {
    for (const auto& part : parts) {
        REQUIRE(
            X509_NAME_add_entry_by_txt(name,
                                       part.field,
                                       part.type,
                                       reinterpret_cast<const unsigned char*>(part.value.data()),
                                       static_cast<int>(part.value.size()),
                                       -1,
                                       part.set) == 1);
    }
}

Certificate make(const Wanted& wanted) {
    Certificate result{X509_new(), &X509_free};
    auto* certificate = result.get();
    X509_set_version(certificate, 2);
    BIGNUM* number = nullptr;
    BN_hex2bn(&number, wanted.serial.c_str());
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    ASN1_TIME_set(X509_getm_notBefore(certificate), wanted.not_after - 90 * day);
    ASN1_TIME_set(X509_getm_notAfter(certificate), wanted.not_after);
    fill(X509_get_subject_name(certificate), wanted.subject);
    fill(X509_get_issuer_name(certificate), wanted.issuer);
    if (!wanted.alternative.empty()) {
        auto* extension =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, wanted.alternative.c_str());
        REQUIRE(extension != nullptr);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    const Key key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
    X509_set_pubkey(certificate, key.get());
    REQUIRE(X509_sign(certificate, key.get(), EVP_sha256()) > 0);
    return result;
}

std::string subject_of(std::vector<Part> parts) {
    Wanted wanted;
    wanted.subject = std::move(parts);
    return certificate_facts(*make(wanted)).subject;
}

/// Holds the certificates as well as the chain of them.
class Chain {
public:
    explicit Chain(const std::vector<std::int64_t>& expiries) : stack_(sk_X509_new_null()) {
        for (const auto expiry : expiries) {
            Wanted wanted;
            wanted.not_after = expiry;
            sk_X509_push(stack_, make(wanted).release());
        }
    }

    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    ~Chain() { sk_X509_pop_free(stack_, X509_free); }

    [[nodiscard]] const stack_st_X509* get() const { return stack_; }

private:
    stack_st_X509* stack_;
};

}  // namespace

TEST_CASE("certificate: facts") {
    Wanted wanted;
    wanted.subject = {{.field = "C", .value = "US", .type = MBSTRING_ASC},
                      {.field = "O", .value = "Example"},
                      {.field = "CN", .value = "example.com"}};
    wanted.serial = "0A0B";
    wanted.alternative =
        "DNS:example.com,IP:127.0.0.1,DNS:*.example.com,email:a@b.c,DNS:third,IP:::1,"
        "URI:spiffe://a/b,RID:1.2.3,otherName:1.2.3;UTF8:x";
    const auto certificate = make(wanted);
    const auto facts = certificate_facts(*certificate);
    CHECK(facts.subject == "CN=example.com,O=Example,C=US");
    CHECK(facts.issuer == "CN=Test CA");
    CHECK(facts.subject_alternative == "example.com,*.example.com,third");
    CHECK(facts.names == std::vector<std::string>{"DNS:example.com",
                                                  "IP:127.0.0.1",
                                                  "DNS:*.example.com",
                                                  "email:a@b.c",
                                                  "DNS:third",
                                                  "IP:::1",
                                                  "URI:spiffe://a/b",
                                                  "RID:1.2.3",
                                                  "other"});
    CHECK(facts.serial_number == "0a0b");
    CHECK(facts.not_after == new_year_2030);
    CHECK(facts.not_before == new_year_2030 - 90 * day);
    CHECK(facts.key_type == "EC");
    CHECK(facts.key_bits == 256);
    CHECK(facts.signature_algorithm == "ecdsa-with-SHA256");

    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    REQUIRE(X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) == 1);
    std::string expected;
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        expected += digits[digest[i] >> 4U];
        expected += digits[digest[i] & 15U];
    }
    CHECK(facts.fingerprint_sha256 == expected);
}

TEST_CASE("certificate: serial numbers are whole bytes") {
    for (const auto& [serial, text] : std::vector<std::pair<std::string, std::string>>{
             {"1", "01"},
             {"0", ""},
             {"100", "0100"},
             {"FFEEDDCCBBAA99887766554433221100FFEEDDCC",
              "ffeeddccbbaa99887766554433221100ffeeddcc"}}) {
        Wanted wanted;
        wanted.serial = serial;
        CHECK(certificate_facts(*make(wanted)).serial_number == text);
    }
}

TEST_CASE("certificate: names as Go writes them") {
    // Go's order, whatever the certificate's.
    CHECK(subject_of({{.field = "CN", .value = "name"},
                      {.field = "ST", .value = "Bavaria"},
                      {.field = "L", .value = "Munich"},
                      {.field = "OU", .value = "Unit"},
                      {.field = "C", .value = "DE", .type = MBSTRING_ASC},
                      {.field = "O", .value = "Org"},
                      {.field = "postalCode", .value = "80331"},
                      {.field = "street", .value = "Marienplatz 1"},
                      {.field = "serialNumber", .value = "HRB 1", .type = MBSTRING_ASC}}) ==
          "SERIALNUMBER=HRB 1,CN=name,OU=Unit,O=Org,POSTALCODE=80331,STREET=Marienplatz 1,L=Munich,"
          "ST=Bavaria,C=DE");
    // Several values of one attribute are one set; of names there is only the last.
    CHECK(subject_of({{.field = "OU", .value = "one"},
                      {.field = "O", .value = "org"},
                      {.field = "OU", .value = "two"},
                      {.field = "CN", .value = "first"},
                      {.field = "CN", .value = "last"}}) == "CN=last,OU=one+OU=two,O=org");
    CHECK(subject_of({{.field = "O", .value = "org"}, {.field = "CN", .value = "n", .set = -1}}) ==
          "CN=n,O=org");
    // Escapes.
    CHECK(subject_of({{.field = "O", .value = " a, \"b\" + <c>; d\\e=f "}}) ==
          "O=\\ a\\, \\\"b\\\" \\+ \\<c\\>\\; d\\\\e=f\\ ");
    CHECK(subject_of({{.field = "O", .value = "#1 #2"}}) == "O=\\#1 #2");
    CHECK(subject_of({{.field = "CN",
                       .value = "B\xc3\xbc"
                                "cher"}}) ==
          "CN=B\xc3\xbc"
          "cher");
    CHECK(subject_of({}).empty());
}

TEST_CASE("certificate: attributes that Go does not know") {
    CHECK(subject_of({{.field = "DC", .value = "example", .type = MBSTRING_ASC},
                      {.field = "CN", .value = "n"}}) ==
          "CN=n,0.9.2342.19200300.100.1.25=#13076578616d706c65");
    // Not printable in ASN.1's sense: UTF8String, whatever it was.
    CHECK(subject_of({{.field = "CN", .value = "n"},
                      {.field = "emailAddress", .value = "a@b.c", .type = MBSTRING_ASC},
                      {.field = "UID", .value = "u"}}) ==
          "CN=n,0.9.2342.19200300.100.1.1=#130175,1.2.840.113549.1.9.1=#0c056140622e63");
    const std::string longest(200, 'x');
    std::string hex;
    for (int i = 0; i < 200; ++i) {
        hex += "78";
    }
    CHECK(subject_of({{.field = "description", .value = longest}}) == "2.5.4.13=#1381c8" + hex);
}

TEST_CASE("certificate: expiries of chains") {
    const Chain chain{{new_year_2030 + 5 * day, new_year_2030, new_year_2030 + 900 * day}};
    CHECK(earliest_expiry(chain.get()) == new_year_2030);
    CHECK(last_chain_expiry(chain.get()) == new_year_2030);
    CHECK_FALSE(earliest_expiry(nullptr));
    CHECK_FALSE(last_chain_expiry(nullptr));
    const Chain empty{{}};
    CHECK_FALSE(earliest_expiry(empty.get()));
    // Before 1970 and after 2049 another ASN.1 type is used.
    constexpr std::int64_t year_2100 = 4102444800;
    CHECK(earliest_expiry(Chain{{year_2100}}.get()) == year_2100);
    CHECK(earliest_expiry(Chain{{year_2100, -day}}.get()) == -day);
}

TEST_CASE("certificate: names of verification errors") {
    CHECK(verify_error_text(X509_V_OK).empty());
    CHECK(verify_error_text(X509_V_ERR_CERT_HAS_EXPIRED) == "certificate has expired");
    CHECK(verify_error_text(X509_V_ERR_HOSTNAME_MISMATCH) == "hostname mismatch");
    CHECK(verify_error_name(X509_V_OK).empty());
    CHECK(verify_error_name(X509_V_ERR_CERT_HAS_EXPIRED) == "CERT_HAS_EXPIRED");
    CHECK(verify_error_name(X509_V_ERR_HOSTNAME_MISMATCH) == "HOSTNAME_MISMATCH");
    CHECK(verify_error_name(X509_V_ERR_EC_KEY_EXPLICIT_PARAMS) == "EC_KEY_EXPLICIT_PARAMS");
    CHECK(verify_error_name(-1).empty());
    CHECK(verify_error_name(1000).empty());
}

TEST_CASE("certificate: label values are made once for each certificate in use") {
    ChainInfoCache cache;
    Wanted wanted;
    wanted.alternative = "DNS:a,DNS:b";
    const auto first = make(wanted);
    auto labels = cache.labels(*first);
    REQUIRE(labels->size() == 5);
    const auto facts = certificate_facts(*first);
    CHECK(*labels == std::vector<std::string>{
                         facts.fingerprint_sha256, "CN=shop.example", "CN=Test CA", "a,b", "01"});
    const auto* address = labels.get();
    const Certificate copy{X509_dup(first.get()), &X509_free};
    CHECK(cache.labels(*copy).get() == address);
    const auto second = make(wanted);  // another key
    CHECK(cache.labels(*second) != labels);
    CHECK(cache.size() == 2);
    const std::weak_ptr<const std::vector<std::string>> watch = labels;
    labels.reset();
    CHECK(watch.expired());
    CHECK(cache.labels(*first)->at(0) == facts.fingerprint_sha256);
}

TEST_CASE("certificate: the cache forgets what nobody holds") {
    ChainInfoCache cache;
    Wanted wanted;
    const auto kept_certificate = make(wanted);
    const auto kept = cache.labels(*kept_certificate);
    for (int i = 0; i < 300; ++i) {
        CHECK(cache.labels(*make(wanted)) != nullptr);
    }
    CHECK(cache.size() < 100);
    CHECK(cache.labels(*kept_certificate) == kept);
}

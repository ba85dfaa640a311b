#include "probes/net/tls_context.hpp"

#include "probes/digest.hpp"
#include "probes/net/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <atomic>
#include <map>
#include <mutex>
#include <vector>

namespace sonde::probes::net {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Bio read_from(const std::string& text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

/// The certificates of a PEM text; none, and why in `error`, when one is broken or there are none.
std::vector<Certificate> read_certificates(const std::string& pem, std::string& error) {
    const Bio input = read_from(pem);
    std::vector<Certificate> all;
    for (;;) {
        Certificate next{PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr), &X509_free};
        if (!next) {
            break;
        }
        all.push_back(std::move(next));
    }
    const unsigned long code = ERR_peek_last_error();
    const bool at_end = ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!at_end) {
        error = "certificate " + std::to_string(all.size() + 1) + " cannot be read";
        return {};
    }
    if (all.empty()) {
        error = "no certificate in it; it must hold PEM blocks (-----BEGIN CERTIFICATE-----)";
    }
    return all;
}

/// Loaded once: nearly every target uses it, whatever else it asks of TLS.
X509_STORE* system_store() {
    static X509_STORE* const store = [] {
        X509_STORE* const made = X509_STORE_new();
        X509_STORE_set_default_paths(made);
        // A system without a store trusts nobody; its checks say so.
        ERR_clear_error();
        return made;
    }();
    return store;
}

bool trust(SSL_CTX* native, const std::string& ca_pem, TlsProblem& problem) {
    if (ca_pem.empty()) {
        SSL_CTX_set1_cert_store(native, system_store());
        return true;
    }
    const auto certificates = read_certificates(ca_pem, problem.what);
    problem.in = TlsProblem::In::ca;
    for (const Certificate& each : certificates) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(native), each.get());
    }
    return !certificates.empty();
}

/// A key with a passphrase must not ask for it at the terminal.
int no_passphrase(char*, int, int, void*) {
    return 0;
}

bool present(SSL_CTX* native, const TlsSettings& settings, TlsProblem& problem) {
    if (settings.cert_pem.empty()) {
        return true;
    }
    const auto certificates = read_certificates(settings.cert_pem, problem.what);
    problem.in = TlsProblem::In::certificate;
    if (certificates.empty()) {
        return false;
    }
    bool taken = SSL_CTX_use_certificate(native, certificates.front().get()) == 1;
    for (std::size_t i = 1; i < certificates.size(); ++i) {
        taken = taken && SSL_CTX_add1_chain_cert(native, certificates[i].get()) == 1;
    }
    if (!taken) {
        ERR_clear_error();
        problem.what = "OpenSSL does not take the certificate (a weak key or signature?)";
        return false;
    }
    const Bio input = read_from(settings.key_pem);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
        PEM_read_bio_PrivateKey(input.get(), nullptr, &no_passphrase, nullptr), &EVP_PKEY_free};
    problem.in = TlsProblem::In::key;
    if (!key) {
        problem.what =
            "no private key in it that can be read; it must hold a PEM block without a "
            "passphrase";
    } else if (SSL_CTX_use_PrivateKey(native, key.get()) != 1 ||
               SSL_CTX_check_private_key(native) != 1) {
        problem.what = "the key is not that of the certificate";
    }
    ERR_clear_error();
    return problem.what.empty();
}

void limit_versions(SSL_CTX* native, const TlsSettings& settings) {
    const int least = settings.min_version != 0 ? settings.min_version : settings.max_version;
    if (least != 0 && least < TLS1_2_VERSION) {
        // OpenSSL 3 has TLS 1.0 and 1.1 at this level only, and systems begin at 1.2.
        SSL_CTX_set_security_level(native, 0);
        SSL_CTX_set_min_proto_version(native, TLS1_VERSION);
    }
    if (settings.min_version != 0) {
        SSL_CTX_set_min_proto_version(native, settings.min_version);
    }
    if (settings.max_version != 0) {
        SSL_CTX_set_max_proto_version(native, settings.max_version);
    }
}

Digest key_of(const TlsSettings& settings) {
    std::string all;
    for (const std::string* part : {&settings.ca_pem, &settings.cert_pem, &settings.key_pem}) {
        all += std::to_string(part->size()) + ':' + *part;
    }
    return sha256(all + std::to_string(settings.min_version) + ':' +
                  std::to_string(settings.max_version) + (settings.resume ? "r" : ""));
}

/// The contexts in use, by the digest of their certificates: a PEM may be large.
struct Made {
    std::mutex mutex;
    std::map<Digest, std::weak_ptr<const TlsContext>> contexts;

    void forget_unused() {
        std::erase_if(contexts, [](const auto& entry) { return entry.second.expired(); });
    }
};

Made& made() {
    static Made all;
    return all;
}

}  // namespace

TlsContext::TlsContext(SSL_CTX* context) : context_(context) {
    static std::atomic<std::uint64_t> last{0};
    serial_ = ++last;
}

std::shared_ptr<const TlsContext> TlsContext::make(const TlsSettings& settings,
                                                   TlsProblem& problem) {
    const Digest key = key_of(settings);
    const std::scoped_lock lock{made().mutex};
    if (const auto known = made().contexts.find(key); known != made().contexts.end()) {
        if (auto context = known->second.lock()) {
            return context;
        }
    }
    std::shared_ptr<const TlsContext> context = load(settings, problem);
    if (!context) {
        return nullptr;
    }
    made().forget_unused();
    made().contexts.emplace(key, context);
    return context;
}

std::shared_ptr<const TlsContext> TlsContext::load(const TlsSettings& settings,
                                                   TlsProblem& problem) {
    std::shared_ptr<TlsContext> context{new TlsContext{SSL_CTX_new(TLS_client_method())}};
    SSL_CTX* native = context->native();
    limit_versions(native, settings);
    if (!trust(native, settings.ca_pem, problem) || !present(native, settings, problem)) {
        return nullptr;
    }
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    if (settings.resume) {
        context->sessions_ = std::make_unique<SessionMemory>();
        SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(native, &TlsStream::on_new_session);
    }
    SSL_CTX_set_mode(native,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                         SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cert_verify_callback(native, &TlsStream::verify_chain, nullptr);
    // Asks for a stapled OCSP response; a server that has none answers as it did before.
    SSL_CTX_set_tlsext_status_type(native, TLSEXT_STATUSTYPE_ocsp);
    // One read(2) for what has arrived instead of two for each record.
    SSL_CTX_set_read_ahead(native, 1);
    return context;
}

std::size_t TlsContext::remembered() {
    const std::scoped_lock lock{made().mutex};
    return made().contexts.size();
}

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

}  // namespace sonde::probes::net

#include "probes/net/tls_context.hpp"

#include "probes/digest.hpp"
#include "probes/net/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <map>
#include <mutex>

namespace sonde::probes::net {

namespace {

bool add_pem(X509_STORE* store, const std::string& pem, std::string& error) {
    std::unique_ptr<BIO, decltype(&BIO_free)> input{
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
    int added = 0;
    for (;;) {
        std::unique_ptr<X509, decltype(&X509_free)> certificate{
            PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr), &X509_free};
        if (!certificate) {
            break;
        }
        X509_STORE_add_cert(store, certificate.get());
        ++added;
    }
    const unsigned long code = ERR_peek_last_error();
    const bool at_end = ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!at_end) {
        error = "certificate " + std::to_string(added + 1) + " cannot be read";
        return false;
    }
    if (added == 0) {
        error = "no certificate in it; it must hold PEM blocks (-----BEGIN CERTIFICATE-----)";
        return false;
    }
    return true;
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

std::shared_ptr<const TlsContext> TlsContext::make(const TlsSettings& settings,
                                                   std::string& error) {
    const Digest key = sha256(settings.ca_pem);
    const std::scoped_lock lock{made().mutex};
    if (const auto known = made().contexts.find(key); known != made().contexts.end()) {
        if (auto context = known->second.lock()) {
            return context;
        }
    }
    std::shared_ptr<const TlsContext> context = load(settings, error);
    if (!context) {
        return nullptr;
    }
    made().forget_unused();
    made().contexts.emplace(key, context);
    if (settings.ca_pem.empty()) {
        // Nearly every target uses it and a reload must not load it again.
        static std::shared_ptr<const TlsContext> kept;
        kept = context;
    }
    return context;
}

std::shared_ptr<const TlsContext> TlsContext::load(const TlsSettings& settings,
                                                   std::string& error) {
    std::shared_ptr<const TlsContext> context{new TlsContext{SSL_CTX_new(TLS_client_method())}};
    SSL_CTX* native = context->native();
    if (settings.ca_pem.empty()) {
        SSL_CTX_set_default_verify_paths(native);
    } else if (!add_pem(SSL_CTX_get_cert_store(native), settings.ca_pem, error)) {
        return nullptr;
    }
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(native,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                         SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cert_verify_callback(native, &TlsStream::verify_chain, nullptr);
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

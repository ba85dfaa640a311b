// The TLS half of a peer. OpenSSL works on memory only, so that every byte of a handshake can be
// counted, held back or cut off on its way to the socket.
#include "tests/support/peer.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace sonde::tests {

namespace {

void must(bool good, const char* what) {
    if (!good) {
        char text[256] = {};
        ERR_error_string_n(ERR_get_error(), text, sizeof text);
        throw std::runtime_error(std::string(what) + ": " + text);
    }
}

}  // namespace

int Peer::on_alpn(SSL*,
                  const unsigned char** chosen,
                  unsigned char* size,
                  const unsigned char* offered,
                  unsigned offered_size,
                  void* self) {
    auto& peer = *static_cast<Peer*>(self);
    {
        const std::lock_guard lock(peer.mutex_);
        peer.conversation_.alpn_offer.assign(reinterpret_cast<const char*>(offered), offered_size);
    }
    const std::string& wanted = peer.script_->alpn;
    if (wanted.empty()) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = reinterpret_cast<const unsigned char*>(wanted.data());
    *size = static_cast<unsigned char>(wanted.size());
    return SSL_TLSEXT_ERR_OK;
}

int Peer::on_server_name(SSL* ssl, int* alert, void* self) {
    auto& peer = *static_cast<Peer*>(self);
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
        const std::lock_guard lock(peer.mutex_);
        peer.conversation_.sni = name;
    }
    if (peer.script_ != nullptr && peer.script_->alert) {
        *alert = *peer.script_->alert;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

int Peer::on_status_request(SSL* ssl, void* self) {
    auto& peer = *static_cast<Peer*>(self);
    const std::lock_guard lock(peer.mutex_);
    peer.conversation_.asked_for_staple = true;
    const std::string& staple = peer.script_->ocsp;
    if (staple.empty()) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    // The SSL frees it.
    void* copy = OPENSSL_memdup(staple.data(), staple.size());
    must(SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(staple.size())) == 1,
         "staple");
    return SSL_TLSEXT_ERR_OK;
}

void Peer::on_ssl_event(const SSL* ssl, int where, int value) {
    if (where == SSL_CB_READ_ALERT && (value & 0xff) != SSL_AD_CLOSE_NOTIFY) {
        auto& peer = *static_cast<Peer*>(SSL_get_app_data(ssl));
        const std::lock_guard lock(peer.mutex_);
        peer.conversation_.tls_alert = SSL_alert_desc_string_long(value);
    }
}

void Peer::make_tls(const TlsScript& script) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    must(context_ != nullptr, "SSL_CTX_new");
    SSL_CTX* context = context_.get();
    must(SSL_CTX_set_min_proto_version(context, script.min_version) == 1, "minimum version");
    must(SSL_CTX_set_max_proto_version(context, script.max_version) == 1, "maximum version");
    // Every connection has a context of its own, and all can resume each other's sessions.
    std::array<unsigned char, 80> ticket_keys{};
    must(SSL_CTX_set_tlsext_ticket_keys(context, ticket_keys.data(), ticket_keys.size()) == 1,
         "ticket keys");
    if (script.max_version < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(context, 0);  // OpenSSL 3 has TLS 1.0 and 1.1 at level 0 only
    }
    must(SSL_CTX_use_certificate(context, script.identity.certificate()) == 1, "certificate");
    must(SSL_CTX_use_PrivateKey(context, script.identity.key()) == 1, "key");
    for (std::size_t i = 1; i < script.identity.chain().size(); ++i) {
        must(SSL_CTX_add1_chain_cert(context, script.identity.chain()[i].get()) == 1, "chain");
    }
    if (!script.client_ca.empty()) {
        const std::unique_ptr<BIO, decltype(&BIO_free)> input{
            BIO_new_mem_buf(script.client_ca.data(), static_cast<int>(script.client_ca.size())),
            &BIO_free};
        const std::unique_ptr<X509, decltype(&X509_free)> authority{
            PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr), &X509_free};
        must(authority != nullptr, "client authority");
        must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) == 1, "trust");
        // Test certificates are for servers.
        must(SSL_CTX_set_purpose(context, X509_PURPOSE_ANY) == 1, "purpose");
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    SSL_CTX_set_tlsext_servername_callback(context, &Peer::on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context, this);
    SSL_CTX_set_alpn_select_cb(context, &Peer::on_alpn, this);
    SSL_CTX_set_tlsext_status_cb(context, &Peer::on_status_request);
    SSL_CTX_set_tlsext_status_arg(context, this);
    ssl_.reset(SSL_new(context));
    must(ssl_ != nullptr, "SSL_new");
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_info_callback(ssl_.get(), &Peer::on_ssl_event);
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    must(in != nullptr && out != nullptr, "BIO_new");
    SSL_set_bio(ssl_.get(), in, out);
    SSL_set_accept_state(ssl_.get());
}

bool Peer::flush_tls() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    std::string pending(data, static_cast<std::size_t>(size));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    if (cut_ || pending.empty()) {
        return true;
    }
    if (script_ != nullptr && script_->stop_after_bytes) {
        const std::size_t left = *script_->stop_after_bytes - handshake_bytes_;
        if (pending.size() >= left) {
            pending.resize(left);
            cut_ = true;
        }
    }
    handshake_bytes_ += pending.size();
    return send_raw(pending);
}

bool Peer::handshake(const TlsScript& script) {
    make_tls(script);
    script_ = &script;
    bool good = false;
    for (int flights = 0;;) {
        ERR_clear_error();
        const int result = SSL_do_handshake(ssl_.get());
        const int error = SSL_get_error(ssl_.get(), result);
        if (BIO_ctrl_pending(SSL_get_wbio(ssl_.get())) > 0) {
            cut_ = cut_ || script.stop_after_flights == flights;
            ++flights;
        }
        good = flush_tls();
        if (!good || cut_ || result == 1) {
            break;
        }
        std::string bytes;
        good = error == SSL_ERROR_WANT_READ && receive_raw(bytes);
        if (!good) {
            break;
        }
        put_tls(bytes);
    }
    script_ = nullptr;
    if (!good || cut_) {
        return good;
    }
    {
        const std::lock_guard lock(mutex_);
        conversation_.tls_established = true;
        if (const X509* shown = SSL_get0_peer_certificate(ssl_.get())) {
            std::array<char, 256> name{};
            X509_NAME_get_text_by_NID(
                X509_get_subject_name(shown), NID_commonName, name.data(), name.size());
            conversation_.client_subject = name.data();
        }
    }
    // The first request may have come with the end of the handshake.
    return decrypt();
}

void Peer::put_tls(std::string_view bytes) {
    const int size = static_cast<int>(bytes.size());
    must(BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), size) == size, "BIO_write");
}

bool Peer::decrypt() {
    std::array<char, 16384> buffer;
    for (;;) {
        ERR_clear_error();
        const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (got <= 0) {
            // Also after close_notify and alerts: the connection itself tells the end.
            return flush_tls();
        }
        const std::lock_guard lock(mutex_);
        conversation_.received.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace sonde::tests

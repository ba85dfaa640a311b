#include "probes/net/tls_stream.hpp"

#include "probes/wire/certificate.hpp"

#include <boost/asio/error.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace sonde::probes::net {

/// The BIO between OpenSSL and our Stream: it reads with the stream's recvmsg so that arrival times
/// are kept, and passes on which readiness to wait for.
struct BioAccess {
    static TlsStream& stream_of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

    static int note(BIO* bio, const IoResult& io, int retry_flag) {
        TlsStream& tls = stream_of(bio);
        BIO_clear_retry_flags(bio);
        tls.socket_wait_ = io.wait;
        tls.socket_error_ = io.error;
        if (io.wait) {
            BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
            return -1;
        }
        if (io.error) {
            return io.error == boost::asio::error::eof ? 0 : -1;
        }
        return static_cast<int>(io.bytes);
    }

    static int read(BIO* bio, char* data, int size) {
        TlsStream& tls = stream_of(bio);
        auto room = static_cast<std::size_t>(size);
        if (tls.most_per_read_ != 0) {
            room = std::min(room, tls.most_per_read_);
        }
        const std::span<char> buffer{data, room};
        return note(bio,
                    tls.outer_ != nullptr ? tls.outer_->read(buffer) : tls.stream_.read(buffer),
                    BIO_FLAGS_READ);
    }

    static int write(BIO* bio, const char* data, int size) {
        TlsStream& tls = stream_of(bio);
        const std::span<const char> bytes{data, static_cast<std::size_t>(size)};
        return note(bio,
                    tls.outer_ != nullptr ? tls.outer_->write(bytes) : tls.stream_.write(bytes),
                    BIO_FLAGS_WRITE);
    }

    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_EOF) {
            return stream_of(bio).socket_error_ == boost::asio::error::eof ? 1 : 0;
        }
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static const BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* fresh =
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sonde stream");
            BIO_meth_set_read(fresh, &BioAccess::read);
            BIO_meth_set_write(fresh, &BioAccess::write);
            BIO_meth_set_ctrl(fresh, &BioAccess::control);
            return fresh;
        }();
        return made;
    }
};

namespace {

int stream_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

bool is_expiry(int code) {
    return code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID ||
           code == X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD ||
           code == X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD;
}

bool is_name(int code) {
    return code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

Failure failure_of(int code) {
    if (is_name(code)) {
        return Failure::certificate_name;
    }
    return is_expiry(code) ? Failure::certificate_expired : Failure::certificate_untrusted;
}

/// An alert that the peer sent has the reason 1000 plus its number (ssl.h, SSL_AD_REASON_OFFSET).
bool is_peer_alert(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET;
}

}  // namespace

TlsStream::TlsStream(Stream& stream,
                     const TlsContext& context,
                     TlsRequest request,
                     TlsStream* outer)
    : stream_(stream),
      outer_(outer),
      context_(context),
      request_(std::move(request)),
      ssl_(SSL_new(context.native())) {
    BIO* bio = BIO_new(BioAccess::method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_ex_data(ssl_.get(), stream_index(), this);
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, &TlsStream::on_verify);
    const std::string& name = request_.name;
    // RFC 6066 section 3: no SNI for literal addresses, which are checked as IP SANs instead.
    if (const auto literal = Endpoint::from_literal(name)) {
        const std::string_view bytes = literal->bytes();
        X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl_.get()),
                                  reinterpret_cast<const unsigned char*>(bytes.data()),
                                  bytes.size());
    } else {
        const std::string sni = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
        SSL_set_tlsext_host_name(ssl_.get(), sni.c_str());
        SSL_set1_host(ssl_.get(), sni.c_str());
    }
    // As browsers and Go have it: a name counts only where SANs hold it (RFC 6125 section 6.4.4),
    // and a trusted certificate is trusted, root or not.
    X509_VERIFY_PARAM* verification = SSL_get0_param(ssl_.get());
    X509_VERIFY_PARAM_set_hostflags(
        verification, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set_flags(verification, X509_V_FLAG_PARTIAL_CHAIN);
    if (!request_.alpn.empty()) {
        SSL_set_alpn_protos(ssl_.get(),
                            reinterpret_cast<const unsigned char*>(request_.alpn.data()),
                            static_cast<unsigned>(request_.alpn.size()));
    }
    if (SessionMemory* const sessions = context_.sessions();
        sessions != nullptr && !request_.resume_from.empty()) {
        const SessionMemory::Entry known =
            sessions->recall(request_.resume_from, std::time(nullptr));
        if (known.session) {
            SSL_set_session(ssl_.get(), known.session.get());
            resumed_until_ = known.verified_until;
        }
    }
    SSL_set_connect_state(ssl_.get());
}

TlsStream::~TlsStream() {
    // OpenSSL spoils the session of a connection that ends without close_notify; ours do, and their
    // sessions are as good (RFC 8446 section 6.1).
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

TlsStream& TlsStream::of(X509_STORE_CTX* context) {
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return *static_cast<TlsStream*>(SSL_get_ex_data(ssl, stream_index()));
}

int TlsStream::verify_chain(X509_STORE_CTX* context, void* /*unused*/) {
    const TlsStream& self = of(context);
    ChainMemory& memory = self.context_.chains();
    const ChainMemory::Key key =
        ChainMemory::key(self.request_.name, X509_STORE_CTX_get0_untrusted(context));
    const std::time_t now = std::time(nullptr);
    if (ChainMemory::Chain known = memory.recall(key, now)) {
        X509_STORE_CTX_set0_verified_chain(context, known.release());
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    const int verified = X509_verify_cert(context);
    if (verified == 1 && self.verify_errors_.empty()) {
        memory.remember(key, X509_STORE_CTX_get0_chain(context), now);
    }
    return verified;
}

int TlsStream::on_verify(int preverified, X509_STORE_CTX* context) {
    if (preverified == 0) {
        of(context).verify_errors_.push_back(
            {X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_error_depth(context)});
    }
    return 1;
}

int TlsStream::on_new_session(SSL* ssl, SSL_SESSION* session) {
    const TlsStream& self = *static_cast<TlsStream*>(SSL_get_ex_data(ssl, stream_index()));
    const std::optional<std::int64_t> until = self.verified_until();
    if (self.request_.resume_from.empty() || !self.verify_errors_.empty() || !until) {
        return 0;
    }
    self.context_.sessions()->remember(self.request_.resume_from,
                                       {SessionMemory::Session{session}, *until});
    return 1;  // the session is ours now
}

std::optional<std::int64_t> TlsStream::verified_until() const {
    return resumed() ? resumed_until_
                     : wire::last_chain_expiry(SSL_get0_verified_chain(ssl_.get()));
}

IoResult TlsStream::handshake() {
    ERR_clear_error();
    return finish(SSL_do_handshake(ssl_.get()), Phase::tls);
}

IoResult TlsStream::read(std::span<char> buffer) {
    ERR_clear_error();
    return finish(SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size())),
                  Phase::transfer);
}

IoResult TlsStream::write(std::span<const char> bytes) {
    ERR_clear_error();
    return finish(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())),
                  Phase::processing);
}

IoResult TlsStream::finish(int returned, Phase phase) {
    if (returned > 0) {
        return IoResult::moved(static_cast<std::size_t>(returned));
    }
    switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return IoResult::wait_for(socket_wait_.value_or(Direction::read));
        case SSL_ERROR_WANT_WRITE:
            return IoResult::wait_for(socket_wait_.value_or(Direction::write));
        case SSL_ERROR_ZERO_RETURN:
            return IoResult::failed(boost::asio::error::eof);
        default:
            break;
    }
    const unsigned long code = ERR_peek_error();
    const bool truncated = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (code == 0 || truncated) {
        // The connection broke below TLS. An end without close_notify is a truncation, not an end
        // (RFC 8446 section 6.1, RFC 9112 section 9.8).
        boost::system::error_code error = socket_error_;
        error_text_ = error.message();
        if (!error || error == boost::asio::error::eof) {
            error = phase == Phase::tls
                        ? boost::asio::error::make_error_code(boost::asio::error::eof)
                        : boost::asio::error::make_error_code(boost::asio::error::connection_reset);
            error_text_ = "the server closed the connection without a TLS close_notify";
        }
        failure_ = classify(error, phase);
        return IoResult::failed(error);
    }
    const char* reason = ERR_reason_error_string(code);
    if (is_peer_alert(code)) {
        failure_ = Failure::tls_alert;
        error_text_ = std::string{"the server sent "} + (reason != nullptr ? reason : "an alert");
    } else {
        failure_ = phase == Phase::tls ? Failure::tls_handshake : Failure::protocol_error;
        error_text_ = reason != nullptr ? reason : "unknown TLS error";
    }
    ERR_clear_error();
    return IoResult::failed(boost::asio::error::connection_aborted);
}

TlsVerdict TlsStream::verdict() const {
    TlsVerdict verdict;
    verdict.errors = verify_errors_;
    for (const auto& [code, depth] : verify_errors_) {
        if (!verdict.detail.empty()) {
            verdict.detail += "; ";
        }
        verdict.detail += X509_verify_cert_error_string(code);
        if (depth > 0) {
            verdict.detail += " (certificate " + std::to_string(depth) + " of the chain)";
        }
    }
    // What says most about the server comes first: nobody vouches for it, then its dates, then its
    // name.
    for (Failure failure : {Failure::certificate_untrusted,
                            Failure::certificate_expired,
                            Failure::certificate_name}) {
        if (std::ranges::any_of(verify_errors_, [&](const TlsVerdict::Error& e) {
                return failure_of(e.code) == failure;
            })) {
            verdict.failure = failure;
            break;
        }
    }
    return verdict;
}

std::string_view TlsStream::version() const {
    switch (SSL_version(ssl_.get())) {
        case TLS1_VERSION:
            return "TLS 1.0";
        case TLS1_1_VERSION:
            return "TLS 1.1";
        case TLS1_2_VERSION:
            return "TLS 1.2";
        case TLS1_3_VERSION:
            return "TLS 1.3";
        default:
            return "unknown";
    }
}

std::string_view TlsStream::alpn() const {
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
    return {reinterpret_cast<const char*>(chosen), size};
}

std::string_view TlsStream::cipher() const {
    const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
    const char* name = cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : nullptr;
    return name != nullptr ? name : "";
}

}  // namespace sonde::probes::net

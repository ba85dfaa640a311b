// TLS over a Stream: inspected first, judged afterwards. Verification errors never end the
// handshake here; they are recorded, and whoever asked decides before sending a byte.
#pragma once

#include "probes/failure.hpp"
#include "probes/net/stream.hpp"
#include "probes/net/tls_context.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probes::net {

/// What verification found, whether or not it was asked to matter.
struct TlsVerdict {
    struct Error {
        int code = 0;   // X509_V_ERR_*
        int depth = 0;  // of the certificate it is about; 0 is the server's own
    };

    std::vector<Error> errors;
    Failure failure =
        Failure::none;   // certificate_untrusted, certificate_expired or certificate_name
    std::string detail;  // one line: every error with the certificate it is about

    [[nodiscard]] bool verified() const { return failure == Failure::none; }
};

/// What one handshake asks for.
struct TlsRequest {
    std::string name;              // for SNI (unless it is an address) and for the check of the
                                   // certificate
    std::string_view alpn = {};    // RFC 7301 section 3.1: each protocol with its length before it
    std::string resume_from = {};  // the server, as SessionMemory knows it; empty: a full handshake
};

class TlsStream {
public:
    /// `stream` is connected; it and `context` outlive this, and so does `outer`, a TLS connection
    /// to a proxy inside of which this one runs; null: none.
    TlsStream(Stream& stream,
              const TlsContext& context,
              TlsRequest request,
              TlsStream* outer = nullptr);
    ~TlsStream();
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    // Like Stream's; the wait may be in either direction for each of them. After an error,
    // failure() and error_text() say more than the error code.
    [[nodiscard]] IoResult handshake();
    [[nodiscard]] IoResult read(std::span<char> buffer);
    [[nodiscard]] IoResult write(std::span<const char> bytes);

    /// The most bytes that are taken from the socket at a time, for arrival() to be that of the
    /// first bytes rather than of all that came meanwhile. 0: no limit of ours.
    void limit_socket_reads(std::size_t most) { most_per_read_ = most; }

    /// Of the last call that returned an error: tls_alert, tls_handshake, protocol_error, or what
    /// classify() says of the socket's error.
    [[nodiscard]] Failure failure() const { return failure_; }

    [[nodiscard]] const std::string& error_text() const { return error_text_; }

    /// After the handshake.
    [[nodiscard]] TlsVerdict verdict() const;
    [[nodiscard]] std::string_view version() const;  // "TLS 1.3", as blackbox_exporter spells it
    [[nodiscard]] std::string_view cipher() const;   // IANA name
    [[nodiscard]] std::string_view alpn() const;     // what the server chose; empty: nothing

    [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

    /// The first expiry (Unix seconds) in the verified chain, or in that on which the resumed
    /// session rests; nothing when none was verified.
    [[nodiscard]] std::optional<std::int64_t> verified_until() const;

    /// For certificate facts: the chain as sent and, when it could be built, as verified.
    [[nodiscard]] const SSL* native() const { return ssl_.get(); }

    /// OpenSSL's SSL_CTX_set_cert_verify_callback: verifies the chain, or remembers that it did.
    static int verify_chain(X509_STORE_CTX* context, void* unused);

    /// OpenSSL's SSL_CTX_sess_set_new_cb: remembers the session.
    static int on_new_session(SSL* ssl, SSL_SESSION* session);

private:
    friend struct BioAccess;

    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };

    static TlsStream& of(X509_STORE_CTX* context);
    static int on_verify(int preverified, X509_STORE_CTX* context);
    IoResult finish(int returned, Phase phase);

    Stream& stream_;
    TlsStream* outer_;
    const TlsContext& context_;
    TlsRequest request_;
    std::optional<std::int64_t> resumed_until_;
    std::unique_ptr<SSL, Free> ssl_;
    std::vector<TlsVerdict::Error> verify_errors_;
    std::size_t most_per_read_ = 0;
    boost::system::error_code socket_error_;  // what the BIO saw last
    std::optional<Direction> socket_wait_;
    Failure failure_ = Failure::none;
    std::string error_text_;
};

}  // namespace sonde::probes::net

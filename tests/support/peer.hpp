// The server's end of one connection in a test: blocking reads and writes that end when the server
// is stopped, plain or TLS, with a record of all that was received. Knows no script.
#pragma once

#include "tests/support/latch.hpp"
#include "tests/support/test_ca.hpp"

#include <openssl/ssl.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::tests {

/// What a connection came to, as the server saw it.
struct Conversation {
    std::string received;  // application bytes: plain ones, and after TLS decrypted ones
    bool asked_for_staple = false;
    bool tls_established = false;    // the handshake ended well on the server's side
    std::string alpn_offer;          // as RFC 7301 has it on the wire; empty: none came
    std::optional<std::string> sni;  // of a ClientHello; nothing: none came, or it had no name
    std::string peer_address;        // where it came from: "127.0.0.1"
    std::string client_subject;      // of the certificate that the client showed
    std::string tls_alert;           // that the client sent, in words; close_notify is not kept
    bool peer_closed = false;        // FIN
    bool peer_reset = false;

    /// The values of all Host fields received, in order: one for each request.
    [[nodiscard]] std::vector<std::string> hosts() const;
};

/// The one read or write of a server's sockets that goes wrong, counted from 1 over all its
/// connections, and how. What is read or written is counted, so a test that goes through all
/// numbers meets every step of a protocol without knowing any.
struct Fault {
    enum class How { close, reset, half, garbage };

    How how = How::close;
    std::size_t at = 0;
    std::atomic<std::size_t> count = 0;

    [[nodiscard]] bool happened() const { return count >= at; }
};

/// How to play a TLS handshake.
struct TlsScript {
    Identity identity;
    int min_version = TLS1_2_VERSION;
    int max_version = TLS1_3_VERSION;
    std::string client_ca = {};  // PEM: the client must show a certificate of this authority
    std::string ocsp = {};       // DER: is stapled for a client that asks; empty: none
    std::string alpn = {};       // the protocol to choose, whatever is offered; empty: none
    std::optional<int> alert;    // SSL_AD_*: refuse the ClientHello with it
    // The handshake is left where it is, without an error, when so much was sent: the script's next
    // step says how it goes on. A flight is all that is sent before the next read; 0: only read.
    std::optional<std::size_t> stop_after_bytes;
    std::optional<int> stop_after_flights;
};

/// Used by one thread, except for conversation(). Functions that return bool say false when the
/// script cannot go on: the peer is gone, or `stop` opened.
class Peer {
public:
    /// Takes the connected socket.
    Peer(int socket, const Latch& stop);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    void break_with(std::shared_ptr<Fault> fault) { fault_ = std::move(fault); }

    [[nodiscard]] bool send(std::string_view bytes);
    /// Waits until all that was sent is in the peer's kernel, so that what follows comes
    /// separately.
    [[nodiscard]] bool drain();
    /// Adds what arrives next to the record.
    [[nodiscard]] bool receive();
    /// Receives until the record has `count` whole requests without body.
    [[nodiscard]] bool receive_requests(std::size_t count);
    /// Until so many bytes of the last counted request's body have come.
    bool receive_body(std::size_t size);
    [[nodiscard]] bool handshake(const TlsScript& script);
    [[nodiscard]] bool wait(const Latch& latch);

    void shut_down_write();
    /// Says close_notify first where there is TLS.
    void close();
    /// Closes without close_notify.
    void drop();
    /// Closes with a RST.
    void reset();

    [[nodiscard]] Conversation conversation() const;

    [[nodiscard]] std::size_t requests() const { return requests_; }

    void count_request() { ++requests_; }

private:
    /// Where the header of this request ends, counted from 1.
    std::optional<std::size_t> end_of_header(std::size_t count);
    enum class Wait { ready, stopped };

    struct FreeSsl {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };

    struct FreeContext {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };

    static int on_status_request(SSL* ssl, void* self);
    static int on_alpn(SSL* ssl,
                       const unsigned char** chosen,
                       unsigned char* size,
                       const unsigned char* offered,
                       unsigned offered_size,
                       void* self);
    static int on_server_name(SSL* ssl, int* alert, void* self);
    static void on_ssl_event(const SSL* ssl, int where, int value);
    Wait wait_for(short events) const;
    /// Whether this read or write (of `bytes`) is the one, which then has happened.
    bool meets_fault(std::string_view bytes);
    bool send_raw(std::string_view bytes);
    bool send_bytes(std::string_view bytes);
    bool receive_raw(std::string& into);
    bool flush_tls();
    void put_tls(std::string_view bytes);
    bool decrypt();
    void make_tls(const TlsScript& script);

    int socket_;
    const Latch& stop_;
    std::unique_ptr<SSL_CTX, FreeContext> context_;
    std::unique_ptr<SSL, FreeSsl> ssl_;
    const TlsScript* script_ = nullptr;  // during the handshake
    std::size_t handshake_bytes_ = 0;
    std::shared_ptr<Fault> fault_;  // null: none
    bool cut_ = false;              // the handshake was left: what is still to be sent is not
    std::size_t requests_ = 0;
    mutable std::mutex mutex_;
    Conversation conversation_;
};

}  // namespace sonde::tests

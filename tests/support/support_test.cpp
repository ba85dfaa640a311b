// The test servers themselves, where a fault of theirs would make other tests pass.
#include "tests/support/manual_clock.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/test_ca.hpp"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace sonde::tests;

namespace {

/// X509_V_OK or the first error of a leaf against a root.
int verify(const Identity& identity, const TestCa& ca) {
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                        &X509_STORE_free);
    const std::string pem = ca.pem();
    const std::unique_ptr<BIO, decltype(&BIO_free)> in(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> root(
        PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free);
    X509_STORE_add_cert(store.get(), root.get());
    STACK_OF(X509)* untrusted = sk_X509_new_null();
    for (const auto& certificate : identity.chain()) {
        sk_X509_push(untrusted, certificate.get());
    }
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
        X509_STORE_CTX_new(), &X509_STORE_CTX_free);
    X509_STORE_CTX_init(context.get(), store.get(), identity.certificate(), untrusted);
    X509_verify_cert(context.get());
    const int error = X509_STORE_CTX_get_error(context.get());
    sk_X509_free(untrusted);
    return error;
}

/// errno of a connection attempt, or EINPROGRESS when nothing came of it within a tenth of a
/// second.
int try_to_connect(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    int error = 0;
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        error = errno;
    }
    pollfd waiting{socket, POLLOUT, 0};
    if (error == EINPROGRESS && ::poll(&waiting, 1, 100) == 1) {
        socklen_t size = sizeof error;
        ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    ::close(socket);
    return error;
}

}  // namespace

TEST_CASE("test certificates are as good or bad as they say") {
    const TestCa ca;
    CHECK(verify(ca.issue(), ca) == X509_V_OK);
    CHECK(verify(ca.intermediate().intermediate("second").issue(), ca) == X509_V_OK);
    CHECK(verify(ca.issue(CertificateSpec::expired()), ca) == X509_V_ERR_CERT_HAS_EXPIRED);
    CHECK(verify(ca.issue(CertificateSpec::not_yet_valid()), ca) == X509_V_ERR_CERT_NOT_YET_VALID);
    CHECK(verify(TestCa("another").issue(), ca) == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    CHECK(verify(TestCa::self_signed(), ca) == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    CHECK(X509_check_host(ca.issue().certificate(), "localhost", 0, 0, nullptr) == 1);
    CHECK(X509_check_host(
              ca.issue(CertificateSpec::wrong_name()).certificate(), "localhost", 0, 0, nullptr) ==
          0);
}

TEST_CASE("a refused port refuses and a black hole says nothing") {
    const RefusedPort refused;
    CHECK(try_to_connect(refused.port()) == ECONNREFUSED);
    const BlackHole hole;
    CHECK(try_to_connect(hole.port()) == EINPROGRESS);
}

TEST_CASE("a temporary directory holds what is written and is gone afterwards") {
    std::filesystem::path path;
    {
        const TempDir directory;
        path = directory.path();
        std::ifstream in(directory.write("a/b.txt", "text"));
        CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "text");
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a step of the wall clock leaves the monotonic clock alone") {
    ManualClock clock;
    const auto now = clock.now();
    const auto unix = clock.unix_now();
    clock.step_unix(std::chrono::hours(1));
    CHECK(clock.now() == now);
    CHECK(clock.unix_now() - unix == std::chrono::hours(1));
    clock.advance(std::chrono::seconds(1));
    CHECK(clock.now() - now == std::chrono::seconds(1));
}

TEST_CASE("a server that is stopped ends its scripts") {
    Latch reached;
    const Latch never;
    ScriptedServer server({{step::signal(reached), step::pause(never)}});
    CHECK(try_to_connect(server.port()) == 0);
    CHECK(reached.wait());
}

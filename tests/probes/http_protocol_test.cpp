// Servers that do not keep to HTTP: each breach gives protocol_error with words that say which.
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

ProbeResult check_bytes(const std::string& bytes, std::string& address) {
    ScriptedServer server({answer(bytes)});
    address = server.address();
    return check_site(server.url());
}

}  // namespace

TEST_CASE("something else instead of HTTP") {
    for (const std::string& greeting : {std::string("SSH-2.0-OpenSSH_9.2\r\n"),
                                        std::string("220 mail.test ESMTP\r\n"),
                                        std::string("\x15\x03\x01\x00\x02\x02\x46", 7),
                                        std::string("HTTP/2.0 200 OK\r\n\r\n"),
                                        std::string("\0\0\0\0\0\0\0\0", 8)}) {
        CAPTURE(greeting);
        std::string address;
        const ProbeResult result = check_bytes(greeting, address);
        CHECK(result.failure == Failure::protocol_error);
        CHECK(mentions(result.detail, {"response", address}));
        CHECK(phases_of(result) == "connect processing");
        CHECK_FALSE(result.readings.get(M::http_status_code));
        CHECK_FALSE(result.rtt);
    }
}

TEST_CASE("a header that breaks the rules") {
    const std::vector<std::string> headers{
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    };
    for (const std::string& header : headers) {
        CAPTURE(header);
        std::string address;
        const ProbeResult result = check_bytes(header, address);
        CHECK(result.failure == Failure::protocol_error);
        CHECK(mentions(result.detail, {"response", address}));
        CHECK_FALSE(result.rtt);
    }
}

TEST_CASE("a header without end, in one field or in many") {
    const std::string start = "HTTP/1.1 200 OK\r\n";
    const std::string many = "X-Field: " + std::string(1000, 'x') + "\r\n";
    ScriptedServer server(
        {{step::read_request(),
          step::send(start + "X-Field: "),
          step::send_repeated(std::string(1000, 'x'), SIZE_MAX)},
         {step::read_request(), step::send(start), step::send_repeated(many, SIZE_MAX)}});
    for (int i = 0; i < 2; ++i) {
        const ProbeResult result = check_site(server.url());
        CHECK(result.failure == Failure::protocol_error);
        CHECK(mentions(result.detail, {server.address(), "header", "64 KiB"}));
        CHECK(phases_of(result) == "connect processing");
        CHECK_FALSE(result.readings.get(M::http_status_code));
    }
}

TEST_CASE("a Content-Length that promises more than comes") {
    std::string address;
    const ProbeResult result =
        check_bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", address);
    CHECK(result.failure == Failure::protocol_error);
    CHECK(mentions(result.detail, {address}));
    // The header was whole, so what it says is told; the transfer never ended.
    CHECK(result.readings.get(M::http_status_code) == 200);
    CHECK(result.readings.get(M::http_content_length) == 10);
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 4);
    CHECK(phases_of(result) == "connect processing");
    CHECK_FALSE(result.rtt);
}

TEST_CASE("a Content-Length that promises less than comes ends the body") {
    std::string address;
    const ProbeResult result =
        check_bytes("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf and more", address);
    CHECK(result.failure == Failure::none);
    CHECK(result.readings.get(M::http_uncompressed_body_length) == 4);
}

TEST_CASE("chunks that break the rules or end too early") {
    const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<std::string> bodies{"zz\r\nxx\r\n0\r\n\r\n",
                                          "2\r\nxxxx\r\n0\r\n\r\n",
                                          "-1\r\n",
                                          "fffffffffffffffff\r\n",
                                          "5\r\nhal",
                                          "4\r\nhalf\r\n",
                                          "4\r\nhalf\r\n0\r\n"};
    for (const std::string& body : bodies) {
        CAPTURE(body);
        std::string address;
        const ProbeResult result = check_bytes(start + body, address);
        CHECK(result.failure == Failure::protocol_error);
        CHECK(mentions(result.detail, {"response", address}));
        CHECK(result.readings.get(M::http_status_code) == 200);
        CHECK_FALSE(result.rtt);
        CHECK(phases_of(result) == "connect processing");
    }
}

TEST_CASE("a response that is not all there when the connection ends") {
    std::string address;
    const ProbeResult result = check_bytes("HTTP/1.1 200 OK\r\nContent-Le", address);
    CHECK(result.failure == Failure::protocol_error);
    CHECK(mentions(result.detail, {"response", address}));
    CHECK_FALSE(result.readings.get(M::http_status_code));
}

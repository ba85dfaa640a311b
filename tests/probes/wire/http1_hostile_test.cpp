// Http1Response: what is no answer, or a broken or hostile one, has a reason and no effect beyond
// it.
#include "tests/probes/wire/http1_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using sonde::probes::wire::Http1Error;
using sonde::probes::wire::Http1Limits;
using sonde::probes::wire::Http1Response;
using sonde::probes::wire::ResponseState;
using sonde::test::check_splits;
using sonde::test::Recorder;
using sonde::test::run;
using sonde::test::whole;

TEST_CASE("http1: other protocols are told by their first bytes") {
    for (const std::string_view garbage : {std::string_view{"SSH-2.0-OpenSSH_9.2\r\n"},
                                           std::string_view{"\x15\x03\x01\0\x02\x02\x46", 7},
                                           std::string_view{"\0\0\x12\x04\0", 5},
                                           std::string_view{"<html>"},
                                           std::string_view{"http/1.1 200 OK\r\n\r\n"},
                                           std::string_view{"HTTP/2.0 200 OK\r\n\r\n"},
                                           std::string_view{"ICY 200 OK\r\n"},
                                           std::string_view{"H?"},
                                           std::string_view{"\r\n"}}) {
        CAPTURE(garbage);
        CHECK(whole(garbage).error == Http1Error::not_http);
        check_splits(garbage);
    }
    CHECK(whole("220 mail \"x\"\r\n").text ==
          "not HTTP/1: the answer begins with \"220 mail \\x22x\\x22\\x0d\\x0a\"");
}

TEST_CASE("http1: malformed answers") {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<std::pair<std::string, std::string>> cases{
        {"HTTP/1.7 200 OK\r\n\r\n", "bad HTTP version in the status line"},
        {"HTTP/1.1 2x0 OK\r\n\r\n", "bad status code"},
        {"HTTP/1.1 2000 OK\r\n\r\n", "bad status code"},
        {"HTTP/1.1 099 OK\r\n\r\n", "bad status code"},
        {"HTTP/1.1 200 O\1K\r\n\r\n", "bad reason phrase in the status line"},
        {"HTTP/1.1 200 OK\nA: b\n\n", "bad line ending"},
        {"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n", "bad field name in the header"},
        {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "bad field name in the header"},
        {"HTTP/1.1 200 OK\r\n: b\r\n\r\n", "bad field name in the header"},
        {"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "bad line ending"},
        {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
         "bad Content-Length, or one beside Transfer-Encoding"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
         "bad Content-Length, or one beside Transfer-Encoding"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
         "bad Content-Length, or one beside Transfer-Encoding"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
         "several Content-Length fields that disagree"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
         "several Content-Length fields that disagree"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "repeated Transfer-Encoding, or one beside Content-Length"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
         "bad Content-Length, or one beside Transfer-Encoding"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         "repeated Transfer-Encoding, or one beside Content-Length"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
         "Transfer-Encoding other than chunked: \"gzip, chunked\""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
         "Transfer-Encoding other than chunked: \"chunked, gzip\""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
         "Transfer-Encoding other than chunked: \"xchunked\""},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         "Transfer-Encoding in an HTTP/1.0 response"},
        {chunked + "zz\r\nhello", "bad chunk size"},
        {chunked + "-5\r\nhello", "bad chunk size"},
        {chunked + "0x5\r\n\r\n", "bad chunk extension"},
        {chunked + "11111111111111111\r\nhello", "bad chunk size"},
        {chunked + "\r\nhello", "bad chunk size"},
        {chunked + "5\r\nhelloX0\r\n\r\n", "bad chunk size"},
        {chunked + "5;\r\nhello", "bad chunk extension"},
        {chunked + "5\rhello", "bad line ending"},
        {chunked + "0\r\nbad trailer\r\n\r\n", "bad field name in the header"},
        {chunked + "0\r\nContent-Length: 5\r\n\r\n",
         "bad Content-Length, or one beside Transfer-Encoding"},
    };
    for (const auto& example : cases) {
        const auto& message = example.first;
        CAPTURE(message);
        const auto outcome = whole(message);
        CHECK(outcome.state == ResponseState::failed);
        CHECK(outcome.error == Http1Error::malformed);
        CHECK(outcome.text == example.second);
        check_splits(message);
    }
    CHECK(whole("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok").state ==
          ResponseState::complete);
}

TEST_CASE("http1: zero bytes in a header") {
    constexpr std::string_view message{"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 27};
    CHECK(whole(message).text == "bad field value in the header");
}

TEST_CASE("http1: the end of the connection") {
    constexpr std::string_view message =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t length = 0; length < message.size(); ++length) {
        CAPTURE(length);
        check_splits(message.substr(0, length), true);
        const auto outcome = whole(message.substr(0, length), true);
        CHECK(outcome.state == ResponseState::failed);
        CHECK(outcome.error == Http1Error::truncated);
    }
    CHECK(whole("", true).text == "connection closed without an answer");
    CHECK(whole("HTTP/1.", true).text == "connection closed inside the header");
    CHECK(whole("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true).text ==
          "connection closed after 5 of 9 bytes of the body");
    CHECK(whole(message.substr(0, 55), true).text ==
          "connection closed inside the chunked body, after 5 bytes");
}

TEST_CASE("http1: limits") {
    const std::string line = "X-Padding: " + std::string(1000, 'x') + "\r\n";
    std::string header = "HTTP/1.1 200 OK\r\n";
    while (header.size() < std::size_t{60} * 1024) {
        header += line;
    }
    CHECK(whole(header + "Content-Length: 0\r\n\r\n").state == ResponseState::complete);
    for (int i = 0; i < 10; ++i) {
        header += line;
    }
    const auto outcome = whole(header + "\r\n");
    CHECK(outcome.error == Http1Error::header_too_large);
    CHECK(outcome.text == "header over 64 KiB");

    Http1Response parser;
    Recorder sink;
    std::size_t fed = 0;
    parser.reset();
    const std::string endless(100, 'a');
    parser.feed(std::string_view{"HTTP/1.1 200 OK\r\nA: "}, sink);
    while (parser.state() == ResponseState::header && fed < 1000 * 1000) {
        parser.feed(endless, sink);
        fed += endless.size();
    }
    CHECK(parser.error() == Http1Error::header_too_large);
    CHECK(fed < std::size_t{70} * 1024);

    for (const std::string start :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0;a=\"\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"\r\n\r\n"}) {
        CAPTURE(start);
        parser.reset();
        parser.feed(std::string_view{start}, sink);
        for (fed = 0; parser.state() == ResponseState::body && fed < 1000 * 1000;
             fed += endless.size()) {
            parser.feed(endless, sink);
        }
        CHECK(parser.state() == ResponseState::failed);
        CHECK(fed < std::size_t{70} * 1024);
    }

    Http1Response small{Http1Limits{.header_bytes = 100}};
    CHECK(
        run(small, "HTTP/1.1 200 OK\r\nA: " + std::string(200, 'a') + "\r\n\r\n", {}, false).text ==
        "header over 100 bytes");
    small.reset();
    CHECK(run(small, "HTTP/1.1 200 " + std::string(200, 'a'), {}, false).error ==
          Http1Error::header_too_large);
    small.reset();
    CHECK(run(small, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", {}, false).state ==
          ResponseState::complete);
}

TEST_CASE("http1: random mutations neither crash nor hang, whatever the split") {
    const std::vector<std::string> seeds{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nA: "
        "b\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n "
        "c\r\n\r\nhello",
        "HTTP/1.0 200\r\nConnection: close\r\n\r\nhello"};
    constexpr std::string_view alphabet{"\r\n :;=\"0159afHTP/.\0\x80,", 21};
    std::uint64_t state = 42;
    const auto next = [&state](std::size_t below) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::size_t>(state >> 33U) % below;
    };
    Http1Response parser;
    for (int round = 0; round < 20000; ++round) {
        auto message = seeds[next(seeds.size())];
        for (auto edits = 1 + next(4); edits > 0; --edits) {
            const auto at = next(message.size());
            switch (next(3)) {
                case 0:
                    message[at] = alphabet[next(alphabet.size())];
                    break;
                case 1:
                    message.insert(at, 1, alphabet[next(alphabet.size())]);
                    break;
                default:
                    message.erase(at, 1 + next(3));
                    break;
            }
        }
        CAPTURE(message);
        const auto expected = whole(message, true);
        std::vector<std::size_t> cuts;
        for (auto cut = 1 + next(7); cut < message.size(); cut += 1 + next(7)) {
            cuts.push_back(cut);
        }
        parser.reset();
        const auto outcome = run(parser, message, cuts, true);
        CHECK(outcome.state == expected.state);
        if (expected.state == ResponseState::complete) {
            CHECK(outcome == expected);
        }
    }
}

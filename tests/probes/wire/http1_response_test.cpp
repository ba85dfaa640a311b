// Http1Response: every split of good answers gives the same events.
#include "tests/probes/wire/http1_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using sonde::probes::wire::Http1Error;
using sonde::probes::wire::Http1Response;
using sonde::probes::wire::ResponseState;
using sonde::test::check_splits;
using sonde::test::Recorder;
using sonde::test::run;
using sonde::test::whole;

TEST_CASE("http1: a body of known length") {
    constexpr std::string_view message =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello";
    const auto outcome = whole(message);
    CHECK(outcome.state == ResponseState::complete);
    CHECK(outcome.body == "hello");
    CHECK(outcome.log ==
          "status 200 11 OK\nfield Content-Type=text/plain\nfield X-Empty=\n"
          "field Content-Length=5\nend\n");
    check_splits(message);
}

TEST_CASE("http1: facts") {
    Http1Response parser;
    CHECK(parser.status() == 0);
    run(parser, "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nab", {}, false);
    CHECK(parser.state() == ResponseState::body);
    CHECK(parser.status() == 404);
    CHECK(parser.version() == 11);
    CHECK(parser.content_length() == 3);
    CHECK_FALSE(parser.chunked());
    CHECK(parser.keep_alive());
    CHECK(parser.body_bytes() == 2);
    parser.reset();
    CHECK(parser.status() == 0);
    CHECK_FALSE(parser.content_length());
    run(parser, "HTTP/1.0 200 OK\r\n\r\nab", {}, false);
    CHECK(parser.version() == 10);
    CHECK_FALSE(parser.content_length());
    CHECK_FALSE(parser.keep_alive());
}

TEST_CASE("http1: what follows the response is left to the caller") {
    constexpr std::string_view first = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    const auto outcome = whole(std::string{first} + "HTTP/1.1 500 No\r\n\r\n");
    CHECK(outcome.state == ResponseState::complete);
    CHECK(outcome.consumed == first.size());
    check_splits(std::string{first} + "rest");
    constexpr std::string_view chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    CHECK(whole(std::string{chunked} + "HTTP").consumed == chunked.size());
    check_splits(std::string{chunked} + "HTTP");
}

TEST_CASE("http1: chunks with extensions and trailers") {
    constexpr std::string_view message =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5;name=value;q=\"a;\\\"b\"\r\nhello\r\n1\r\n \r\n00005\r\nworld\r\n0;last\r\n"
        "X-Sum: 1\r\nX-Other: 2\r\n\r\n";
    const auto outcome = whole(message);
    CHECK(outcome.state == ResponseState::complete);
    CHECK(outcome.body == "hello world");
    CHECK(outcome.log ==
          "status 200 11 OK\nfield Transfer-Encoding=Chunked\nend\n"
          "trailer X-Sum=1\ntrailer X-Other=2\n");
    check_splits(message);
    check_splits("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    check_splits("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n");
}

TEST_CASE("http1: a body until the connection closes") {
    constexpr std::string_view message = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nall of it\r\n\r\n";
    CHECK(whole(message).state == ResponseState::body);
    const auto outcome = whole(message, true);
    CHECK(outcome.state == ResponseState::complete);
    CHECK(outcome.body == "all of it\r\n\r\n");
    check_splits(message, true);
    CHECK(whole("HTTP/1.0 200 OK\r\n\r\n", true).state == ResponseState::complete);
}

TEST_CASE("http1: answers without a body") {
    for (const std::string message : {"HTTP/1.1 204 No Content\r\n\r\n",
                                      "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}) {
        CAPTURE(message);
        const auto outcome = whole(std::string{message} + "zz");
        CHECK(outcome.state == ResponseState::complete);
        CHECK(outcome.consumed == std::string_view{message}.size());
        CHECK(outcome.body.empty());
        check_splits(message);
    }
    constexpr std::string_view head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    CHECK(whole(head, false, true).state == ResponseState::complete);
    check_splits(head, false, true);
    Http1Response parser;
    parser.reset(true);
    run(parser, head, {}, false);
    CHECK(parser.content_length() == 10);
    parser.reset(true);
    CHECK(run(parser, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {}, false).state ==
          ResponseState::complete);
}

TEST_CASE("http1: interim responses are skipped and counted") {
    constexpr std::string_view message =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    Http1Response parser;
    const auto outcome = run(parser, message, {}, false);
    CHECK(outcome.state == ResponseState::complete);
    CHECK(outcome.log == "status 200 11 OK\nfield Content-Length=1\nend\n");
    CHECK(parser.interim_responses() == 2);
    check_splits(message);

    std::string many;
    while (many.size() < std::size_t{70} * 1024) {
        many += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    CHECK(whole(many).error == Http1Error::header_too_large);
    CHECK(whole("HTTP/1.1 100 Continue\r\n\r\n", true).error == Http1Error::truncated);
}

TEST_CASE("http1: a status line without blank and reason is taken, as clients do") {
    constexpr std::string_view message = "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok";
    const auto outcome = whole(message);
    CHECK(outcome.state == ResponseState::complete);
    CHECK(outcome.log == "status 200 11 \nfield Content-Length=2\nend\n");
    CHECK(outcome.consumed == message.size());
    check_splits(message);
    check_splits("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok");
}

TEST_CASE("http1: the sink may stop") {
    Http1Response parser;
    Recorder sink;
    sink.stop_at = 3;
    constexpr std::string_view message = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc";
    CHECK(parser.feed(message, sink).state == ResponseState::stopped);
    CHECK(parser.feed(std::string_view{"def"}, sink).state == ResponseState::stopped);
    CHECK(sink.body == "abc");
    CHECK(parser.finish(sink) == ResponseState::stopped);
    CHECK(parser.error() == Http1Error::none);
}

TEST_CASE("http1: folded lines are joined") {
    constexpr std::string_view message =
        "HTTP/1.1 200 OK\r\nA: one\r\n two\r\nContent-Length: 0\r\n\r\n";
    CHECK(whole(message).log == "status 200 11 OK\nfield A=one two\nfield Content-Length=0\nend\n");
    check_splits(message);
}

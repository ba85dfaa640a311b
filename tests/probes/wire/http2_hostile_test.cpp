// Http2Client: what is no answer, or a broken one, has a reason and no effect beyond it.
#include "tests/probes/wire/http2_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sonde::test {

TEST_CASE("http2: other protocols are told by their first bytes") {
    for (const std::string_view garbage : {std::string_view{"SSH-2.0-OpenSSH_9.2\r\n"},
                                           std::string_view{"HTTP/1.1 400 Bad Request\r\n\r\n"},
                                           std::string_view{"\x15\x03\x01\0\x02\x02\x46", 7},
                                           std::string_view{"\0\0\0\4\1\0\0\0\0", 9},
                                           std::string_view{"\0\0\0\6\0\0\0\0\0", 9},
                                           std::string_view{"\0\0\0\4\0\0\0\0\1", 9},
                                           std::string_view{"\0\x41", 2},
                                           std::string_view{"H"}}) {
        CAPTURE(garbage);
        const auto outcome = ask(garbage);
        CHECK(outcome.state == Http2State::failed);
        CHECK(outcome.error == Http2Error::not_http2);
        CHECK_FALSE(outcome.reusable);
        Http2Client client;
        CHECK(ask(client, garbage, 1).error == Http2Error::not_http2);
    }
    CHECK(ask("HTTP/1.1 400 Bad Request\r\n\r\n").text ==
          "not HTTP/2: the answer begins with \"HTTP/1.1 400 Bad\"");
}

TEST_CASE("http2: malformed answers") {
    const std::string ok = header_frame({{":status", "200"}});
    const std::string five = header_frame({{":status", "200"}, {"content-length", "5"}});
    const std::string wrong_length = "the body has not the 5 bytes that content-length says";
    const std::vector<std::pair<std::string, std::string>> cases{
        {header_frame({{"a", "b"}}, h2::end_stream), "no :status in the header"},
        {header_frame({{":status", "20"}}), "bad, repeated or misplaced :status"},
        {header_frame({{":status", "abc"}}), "bad, repeated or misplaced :status"},
        {header_frame({{":status", "099"}}), "bad status code"},
        {header_frame({{":status", "101"}}), "bad, repeated or misplaced :status"},
        {header_frame({{":status", "200"}, {":status", "200"}}),
         "bad, repeated or misplaced :status"},
        {header_frame({{"a", "b"}, {":status", "200"}}), "bad, repeated or misplaced :status"},
        {header_frame({{":status", "200"}, {":path", "/"}}),
         "pseudo-header field \":path\" in a response"},
        {header_frame({{":status", "200"}, {":new", "/"}}),
         "pseudo-header field \":new\" in a response"},
        {header_frame({{":status", "200"}, {"Server", "x"}}),
         "field name in upper case: \"Server\""},
        {header_frame({{":status", "200"}, {"connection", "close"}}),
         "field of a connection, which HTTP/2 does not have: \"connection\""},
        {header_frame({{":status", "200"}, {"transfer-encoding", "chunked"}}),
         "field of a connection, which HTTP/2 does not have: \"transfer-encoding\""},
        {header_frame({{":status", "200"}, {"te", "gzip"}}),
         "bad name or value of the field \"te\""},
        {header_frame({{":status", "200"}, {"a b", "c"}}),
         "bad name or value of the field \"a b\""},
        {header_frame({{":status", "200"}, {"", "c"}}), "bad name or value of the field \"\""},
        {header_frame({{":status", "200"}, {"a", "b\r\nc: d"}}),
         "bad name or value of the field \"a\""},
        {header_frame({{":status", "200"}, {"content-length", "x"}}),
         "bad, repeated or forbidden content-length"},
        {header_frame({{":status", "200"}, {"content-length", "1"}, {"content-length", "1"}}),
         "bad, repeated or forbidden content-length"},
        {header_frame({{":status", "204"}, {"content-length", "1"}}),
         "bad, repeated or forbidden content-length"},
        {header_frame({{":status", "200"}, {"content-length", "5"}}, h2::end_stream), wrong_length},
        {five + data_frame("hell", h2::end_stream), wrong_length},
        {five + data_frame("hellos"), wrong_length},
        {five + data_frame("hell") + data_frame("os", h2::end_stream), wrong_length},
        {five + data_frame("hell") + header_frame({{"a", "b"}}, h2::end_stream), wrong_length},
        {header_frame({{":status", "204"}}) + data_frame("x"), "body in an answer that has none"},
        {header_frame({{":status", "304"}}) + data_frame("x"), "body in an answer that has none"},
        {header_frame({{":status", "103"}}, h2::end_stream),
         "interim response that ends the stream"},
        {header_frame({{":status", "103"}}) + data_frame("x"), "body before the header"},
        {ok + data_frame("x") + header_frame({{"a", "b"}}),
         "header fields in the middle of the body"},
        {ok + header_frame({{":status", "200"}}, h2::end_stream),
         "bad, repeated or misplaced :status"},
    };
    for (const auto& example : cases) {
        CAPTURE(example.second);
        const auto outcome = ask(hello() + example.first);
        CHECK(outcome.state == Http2State::failed);
        CHECK(outcome.error == Http2Error::malformed);
        CHECK(outcome.text == example.second);
        CHECK_FALSE(outcome.reusable);
        check_splits2(hello() + example.first);
    }
    const std::string to_head = hello() + five + data_frame("hello", h2::end_stream);
    CHECK(ask(to_head, false, "HEAD").text == "body in an answer that has none");
}

TEST_CASE("http2: answers that break the protocol") {
    const std::string ok = header_frame({{":status", "200"}});
    const std::vector<std::pair<std::string, std::string>> cases{
        {data_frame("x"), "broken HTTP/2: PROTOCOL_ERROR, DATA: stream not opened"},
        {http2_frame(h2::data, 0, 0, "x"), "broken HTTP/2: PROTOCOL_ERROR, DATA: stream_id == 0"},
        {http2_frame(h2::data, 0, 7, "x"), "broken HTTP/2: PROTOCOL_ERROR, DATA: stream in idle"},
        {http2_frame(h2::continuation, h2::end_headers, 1),
         "broken HTTP/2: PROTOCOL_ERROR, CONTINUATION: unexpected"},
        {http2_frame(h2::ping, 0, 0, "short"), "broken HTTP/2: FRAME_SIZE_ERROR"},
        {std::string{"\xff\xff\xff\0\0\0\0\0\1", 9},
         "broken HTTP/2: FRAME_SIZE_ERROR, too large frame size"},
        {http2_frame(h2::window_update, 0, 0, number(0x7fffffff)),
         "broken HTTP/2: FLOW_CONTROL_ERROR"},
        {http2_frame(h2::window_update, 0, 0, number(0)),
         "broken HTTP/2: PROTOCOL_ERROR, WINDOW_UPDATE: window_size_increment == 0"},
        {http2_frame(h2::settings, 0, 0, std::string{"\0\5\0\0\0\1", 6}),
         "broken HTTP/2: PROTOCOL_ERROR, SETTINGS: invalid SETTINGS_MAX_FRAME_SIZE"},
        {http2_frame(h2::settings, h2::ack, 0) +
             http2_frame(h2::push_promise, h2::end_headers, 1, number(2)),
         "broken HTTP/2: PROTOCOL_ERROR, PUSH_PROMISE: push disabled"},
        {http2_frame(h2::headers, h2::end_headers, 1, "\xff\xff\xff\xff\xff\xff"),
         "broken HTTP/2: COMPRESSION_ERROR"},
        {http2_frame(h2::window_update, 0, 1, number(0x7fffffff)),
         "more body than the flow control allows, or a window too large"},
    };
    for (const auto& example : cases) {
        CAPTURE(example.second);
        const auto outcome = ask(hello() + example.first);
        CHECK(outcome.state == Http2State::failed);
        CHECK(outcome.error == Http2Error::protocol);
        CHECK(outcome.text == example.second);
        CHECK_FALSE(outcome.reusable);
        check_splits2(hello() + example.first);
    }
    // Our SETTINGS are not acknowledged: the window of a stream is still 64 KiB.
    const std::string flood = hello() + ok + repeated(data_frame(std::string(16384, 'x')), 5);
    CHECK(ask(flood).error == Http2Error::none);  // what was taken is given back at once
    Http2Client client;
    ask(client, flood, 1);
    CHECK(client.body_bytes() == std::size_t{5} * 16384);
}

TEST_CASE("http2: RST_STREAM") {
    const std::string ok = header_frame({{":status", "200"}});
    const auto reset = [](std::uint32_t code) {
        return http2_frame(h2::rst_stream, 0, 1, number(code));
    };
    const auto refused = ask(hello() + reset(h2::refused_stream));
    CHECK(refused.state == Http2State::failed);
    CHECK(refused.error == Http2Error::reset);
    CHECK(refused.text == "RST_STREAM with REFUSED_STREAM");
    CHECK(ask(hello() + ok + data_frame("x") + reset(h2::internal_error)).text ==
          "RST_STREAM with INTERNAL_ERROR");
    CHECK(ask(hello() + ok + reset(h2::no_error)).text == "RST_STREAM with NO_ERROR");
    CHECK(ask(hello() + reset(0x1234)).text == "RST_STREAM with error 0x1234");
    check_splits2(hello() + ok + reset(h2::cancel));

    Http2Client client;
    ask(client, hello() + reset(h2::refused_stream), 1);
    CHECK(client.unprocessed());
    ask(client, hello() + reset(h2::internal_error), 1);
    CHECK_FALSE(client.unprocessed());

    // After the whole response it says that the rest of the request is not wanted.
    for (const std::uint32_t code : {h2::no_error, h2::cancel}) {
        const std::string answer = hello() + ok + data_frame("x", h2::end_stream) + reset(code);
        CHECK(ask(answer).state == Http2State::complete);
        CHECK(ask(answer).reusable);
        check_splits2(answer);
    }
}

TEST_CASE("http2: GOAWAY") {
    const auto goaway = [](std::uint32_t last, std::uint32_t code, std::string_view debug) {
        return http2_frame(h2::goaway, 0, 0, number(last) + number(code) + std::string{debug});
    };
    const std::string answer = header_frame({{":status", "200"}}) + data_frame("x", h2::end_stream);
    const std::string calm = hello() + goaway(0, h2::enhance_your_calm, "too many\npings");
    CHECK(ask(calm).state == Http2State::failed);
    CHECK(ask(calm).error == Http2Error::goaway);
    CHECK(ask(calm).text == "GOAWAY with ENHANCE_YOUR_CALM: \"too many\\x0apings\"");
    check_splits2(calm);
    CHECK(ask(hello() + goaway(0, h2::no_error, "")).text == "GOAWAY with NO_ERROR");
    CHECK(ask(hello() + goaway(0, 99, std::string(500, 'd'))).text ==
          "GOAWAY with error 0x63: \"" + std::string(80, 'd') + '"');
    Http2Client client;
    ask(client, calm, 1);
    CHECK(client.unprocessed());

    // One that lets the request finish ends the connection behind it.
    for (const std::uint32_t last : {1U, 0x7fffffffU}) {
        const std::string graceful = hello() + goaway(last, h2::no_error, "bye") + answer;
        CHECK(ask(graceful).state == Http2State::complete);
        CHECK_FALSE(ask(graceful).reusable);
        check_splits2(graceful);
    }
    const std::string late = hello() + answer + goaway(1, h2::no_error, "");
    CHECK(ask(late).state == Http2State::complete);
    CHECK_FALSE(ask(late).reusable);

    // The server gives its reason, and then closes.
    const std::string broken = hello() + goaway(1, h2::protocol_error, "what?");
    CHECK(ask(broken).state == Http2State::header);
    CHECK(ask(broken, true).error == Http2Error::goaway);
    CHECK(ask(broken, true).text == "GOAWAY with PROTOCOL_ERROR: \"what?\"");
    CHECK(ask(hello() + goaway(1, h2::no_error, ""), true).error == Http2Error::truncated);

    Recorder sink;
    ask(client, late, 1);
    client.request(get(), sink);
    CHECK(client.state() == Http2State::failed);
    CHECK(client.error() == Http2Error::goaway);
    CHECK(client.error_text() == "the connection takes no more requests");
    CHECK(client.unprocessed());
}

TEST_CASE("http2: the end of the connection") {
    const std::string answer = good_answer();
    REQUIRE(ask(answer, true).state == Http2State::complete);
    REQUIRE(ask(answer, true).reusable == false);
    for (std::size_t length = 0; length < answer.size(); ++length) {
        CAPTURE(length);
        const auto part = std::string_view{answer}.substr(0, length);
        const auto open = ask(part);
        CHECK((open.state == Http2State::header || open.state == Http2State::body));
        const auto closed = ask(part, true);
        CHECK(closed.state == Http2State::failed);
        CHECK(closed.error == Http2Error::truncated);
        Http2Client client;
        CHECK(ask(client, part, 1, true) == closed);
    }
    CHECK(ask("", true).text == "connection closed without an answer");
    CHECK(ask(hello(), true).text == "connection closed before the end of the header");
    const std::string ok = hello() + header_frame({{":status", "200"}});
    CHECK(ask(ok + data_frame("abc"), true).text ==
          "connection closed inside the body, after 3 bytes");
    CHECK(ask(hello() + header_frame({{":status", "200"}, {"content-length", "9"}}) +
                  data_frame("hello"),
              true)
              .text == "connection closed after 5 of 9 bytes of the body");
}

TEST_CASE("http2: after the end nothing changes") {
    Http2Client client;
    for (const std::string_view end :
         {std::string_view{"HTTP/1.1 200 OK\r\n"}, std::string_view{}}) {
        const auto before = ask(client, end, 100, true);
        CHECK(client.feed(good_answer()) == Http2State::failed);
        CHECK(client.finish() == Http2State::failed);
        client.cancel();
        CHECK(client.state() == Http2State::failed);
        CHECK(client.error() == before.error);
        CHECK(client.error_text() == before.text);
        CHECK_FALSE(client.wants_write());
    }
    ask(client, good_answer(), 100);
    // Garbage behind a response is the connection's end, and not the response's.
    CHECK(client.feed(std::string_view{"garbage and more garbage"}) == Http2State::complete);
    CHECK_FALSE(client.reusable());
    CHECK(client.error() == Http2Error::none);
    CHECK(client.finish() == Http2State::complete);
}

}  // namespace sonde::test

// Answers made by hand fed to Http2Client in any pieces, and what came of them.
#pragma once

#include "probes/wire/http2_client.hpp"

#include "tests/probes/wire/http1_fixture.hpp"
#include "tests/support/http2_peer.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::test {

using sonde::probes::wire::Http2Client;
using sonde::probes::wire::Http2Error;
using sonde::probes::wire::Http2Field;
using sonde::probes::wire::Http2Request;
using sonde::probes::wire::Http2State;
using sonde::tests::http2_block;
using sonde::tests::http2_frame;
using sonde::tests::Http2Fields;
using sonde::tests::Http2Peer;

// RFC 9113 sections 6 and 7.
namespace h2 {
constexpr std::uint8_t data = 0, headers = 1, rst_stream = 3, settings = 4, push_promise = 5,
                       ping = 6, goaway = 7, window_update = 8, continuation = 9;
constexpr std::uint8_t ack = 1, end_stream = 1, end_headers = 4, padded = 8;
constexpr std::uint32_t no_error = 0, protocol_error = 1, internal_error = 2,
                        flow_control_error = 3, refused_stream = 7, cancel = 8,
                        enhance_your_calm = 11;
}  // namespace h2

inline Http2Request get(std::string_view method = "GET") {
    return {.method = method,
            .scheme = "https",
            .authority = "shop.example",
            .path = "/a?b",
            .fields = {},
            .body = {}};
}

inline std::string number(std::uint32_t value) {
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        bytes += static_cast<char>(value >> shift);
    }
    return bytes;
}

/// The server's preface.
inline std::string hello() {
    return http2_frame(h2::settings, 0, 0);
}

inline std::string header_frame(const Http2Fields& fields, std::uint8_t flags = 0) {
    return http2_frame(
        h2::headers, static_cast<std::uint8_t>(h2::end_headers | flags), 1, http2_block(fields));
}

inline std::string data_frame(std::string_view body, std::uint8_t flags = 0) {
    return http2_frame(h2::data, flags, 1, body);
}

inline std::string repeated(std::string_view text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
        all += text;
    }
    return all;
}

inline std::string good_answer() {
    return hello() + http2_frame(h2::settings, h2::ack, 0) + header_frame({{":status", "103"}}) +
           header_frame({{":status", "200"}, {"content-length", "10"}, {"a", "b"}}) +
           data_frame("hello") + data_frame("world") +
           header_frame({{"x-sum", "1"}}, h2::end_stream);
}

inline bool ends_with_goaway(const std::string& output, std::uint32_t code) {
    return output.ends_with(http2_frame(h2::goaway, 0, 0, number(0) + number(code)));
}

struct Outcome2 {
    Http2State state = Http2State::header;
    Http2Error error = Http2Error::none;
    std::string text;
    std::string log;
    std::string body;
    bool reusable = false;
    std::string output;  // all that was sent

    bool operator==(const Outcome2&) const = default;
};

/// Takes all output as sent.
inline std::string drain(Http2Client& client) {
    std::string bytes;
    while (client.wants_write()) {
        const auto output = client.output();
        bytes.append(output.data(), output.size());
        client.sent(output.size());
    }
    return bytes;
}

/// One GET on a connection of its own, answered by `answer` in pieces of `step` bytes.
inline Outcome2 ask(Http2Client& client,
                    std::string_view answer,
                    std::size_t step,
                    bool close = false,
                    std::string_view method = "GET") {
    Recorder sink;
    client.reset();
    client.request(get(method), sink);
    std::string output = drain(client);
    for (std::size_t begin = 0; begin < answer.size(); begin += step) {
        // A copy of its own, so that a sanitizer sees a read behind a piece.
        const auto text = answer.substr(begin, step);
        const std::vector<char> piece(text.begin(), text.end());
        const auto state = client.feed(piece);
        CHECK(state == client.state());
        output += drain(client);
    }
    if (close) {
        client.finish();
    }
    return {client.state(),
            client.error(),
            std::string{client.error_text()},
            sink.log,
            sink.body,
            client.reusable(),
            output};
}

inline Outcome2 ask(std::string_view answer, bool close = false, std::string_view method = "GET") {
    Http2Client client;
    return ask(client, answer, answer.size() + 1, close, method);
}

/// The same outcome in all of some splits, on one client that is used again and again.
inline void check_splits2(std::string_view answer, std::string_view method = "GET") {
    const auto expected = ask(answer, false, method);
    Http2Client client;
    for (std::size_t step = 1; step < 12; ++step) {
        CAPTURE(step);
        const auto outcome = ask(client, answer, step, false, method);
        CHECK(outcome.state == expected.state);
        CHECK(outcome.error == expected.error);
        CHECK(outcome.text == expected.text);
        if (expected.state == Http2State::complete) {
            CHECK(outcome.log == expected.log);
            CHECK(outcome.body == expected.body);
            CHECK(outcome.reusable == expected.reusable);
        }
    }
}

}  // namespace sonde::test

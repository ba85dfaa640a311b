// Http1Response: every split of good answers gives the same events, and hostile ones a reason.
#include "probes/wire/http1_response.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace sonde::probes::wire;

namespace {

/// Writes down what it is told.
class Recorder final : public Http1Sink {
public:
    void on_status(unsigned status, unsigned version, std::string_view reason) override {
        log += "status " + std::to_string(status) + ' ' + std::to_string(version) + ' ' +
               std::string{reason} + '\n';
    }

    void on_field(std::string_view name, std::string_view value) override {
        log += "field " + std::string{name} + '=' + std::string{value} + '\n';
    }

    void on_header_end() override { log += "end\n"; }

    bool on_body(std::span<const char> piece) override {
        CHECK_FALSE(piece.empty());
        body.append(piece.data(), piece.size());
        return body.size() < stop_at;
    }

    void on_trailer(std::string_view name, std::string_view value) override {
        log += "trailer " + std::string{name} + '=' + std::string{value} + '\n';
    }

    std::string log;
    std::string body;
    std::size_t stop_at = static_cast<std::size_t>(-1);
};

struct Outcome {
    Http1State state = Http1State::header;
    Http1Error error = Http1Error::none;
    std::string text;
    std::string log;
    std::string body;
    std::size_t consumed = 0;

    bool operator==(const Outcome&) const = default;
};

// Feeds the pieces that the cuts make of a message, then the end of the connection if asked for.
Outcome run(Http1Response& parser,
            std::string_view message,
            const std::vector<std::size_t>& cuts,
            bool close) {
    Recorder sink;
    std::size_t consumed = 0;
    std::size_t begin = 0;
    auto ends = cuts;
    ends.push_back(message.size());
    for (const auto end : ends) {
        // A copy of its own, so that a sanitizer sees a read behind a piece.
        const std::vector<char> piece(message.begin() + static_cast<std::ptrdiff_t>(begin),
                                      message.begin() + static_cast<std::ptrdiff_t>(end));
        const auto fed = parser.feed(piece, sink);
        CHECK(fed.state == parser.state());
        if (fed.state == Http1State::header || fed.state == Http1State::body) {
            CHECK(fed.consumed == piece.size());
        }
        if (consumed == begin) {
            consumed += fed.consumed;
        }
        begin = end;
    }
    if (close) {
        parser.finish(sink);
    }
    return {parser.state(), parser.error(), std::string{parser.error_text()}, sink.log, sink.body,
            consumed};
}

Outcome whole(std::string_view message, bool close = false, bool head = false) {
    Http1Response parser;
    parser.reset(head);
    return run(parser, message, {}, close);
}

// Every cut in two, and all bytes one by one, on one parser that is used again and again.
void check_splits(std::string_view message, bool close = false, bool head = false) {
    const auto expected = whole(message, close, head);
    Http1Response parser;
    const auto same = [&](const std::vector<std::size_t>& cuts) {
        parser.reset(head);
        auto outcome = run(parser, message, cuts, close);
        if (expected.state == Http1State::failed) {
            // How much a failed answer had given away before depends on the split.
            CHECK(outcome.state == expected.state);
            CHECK(outcome.error == expected.error);
        } else {
            CHECK(outcome == expected);
        }
    };
    std::vector<std::size_t> bytes;
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
        CAPTURE(cut);
        same({cut});
        if (cut > 0 && cut < message.size()) {
            bytes.push_back(cut);
        }
    }
    same(bytes);
    for (std::size_t step = 2; step < 9; ++step) {
        CAPTURE(step);
        std::vector<std::size_t> cuts;
        for (auto cut = step; cut < message.size(); cut += step) {
            cuts.push_back(cut);
        }
        same(cuts);
    }
}

}  // namespace

TEST_CASE("http1: a body of known length") {
    constexpr std::string_view message =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello";
    const auto outcome = whole(message);
    CHECK(outcome.state == Http1State::complete);
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
    CHECK(parser.state() == Http1State::body);
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
    CHECK(outcome.state == Http1State::complete);
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
    CHECK(outcome.state == Http1State::complete);
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
    CHECK(whole(message).state == Http1State::body);
    const auto outcome = whole(message, true);
    CHECK(outcome.state == Http1State::complete);
    CHECK(outcome.body == "all of it\r\n\r\n");
    check_splits(message, true);
    CHECK(whole("HTTP/1.0 200 OK\r\n\r\n", true).state == Http1State::complete);
}

TEST_CASE("http1: answers without a body") {
    for (const std::string message : {"HTTP/1.1 204 No Content\r\n\r\n",
                                "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
                                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}) {
        CAPTURE(message);
        const auto outcome = whole(std::string{message} + "zz");
        CHECK(outcome.state == Http1State::complete);
        CHECK(outcome.consumed == std::string_view{message}.size());
        CHECK(outcome.body.empty());
        check_splits(message);
    }
    constexpr std::string_view head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    CHECK(whole(head, false, true).state == Http1State::complete);
    check_splits(head, false, true);
    Http1Response parser;
    parser.reset(true);
    run(parser, head, {}, false);
    CHECK(parser.content_length() == 10);
    parser.reset(true);
    CHECK(run(parser, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {}, false).state ==
          Http1State::complete);
}

TEST_CASE("http1: interim responses are skipped and counted") {
    constexpr std::string_view message =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    Http1Response parser;
    const auto outcome = run(parser, message, {}, false);
    CHECK(outcome.state == Http1State::complete);
    CHECK(outcome.log == "status 200 11 OK\nfield Content-Length=1\nend\n");
    CHECK(parser.interim_responses() == 2);
    check_splits(message);

    std::string many;
    while (many.size() < 70 * 1024) {
        many += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    CHECK(whole(many).error == Http1Error::header_too_large);
    CHECK(whole("HTTP/1.1 100 Continue\r\n\r\n", true).error == Http1Error::truncated);
}

TEST_CASE("http1: a status line without blank and reason is taken, as clients do") {
    constexpr std::string_view message = "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok";
    const auto outcome = whole(message);
    CHECK(outcome.state == Http1State::complete);
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
    CHECK(parser.feed(message, sink).state == Http1State::stopped);
    CHECK(parser.feed(std::string_view{"def"}, sink).state == Http1State::stopped);
    CHECK(sink.body == "abc");
    CHECK(parser.finish(sink) == Http1State::stopped);
    CHECK(parser.error() == Http1Error::none);
}

TEST_CASE("http1: other protocols are told by their first bytes") {
    for (const std::string_view garbage :
         {std::string_view{"SSH-2.0-OpenSSH_9.2\r\n"}, std::string_view{"\x15\x03\x01\0\x02\x02\x46", 7},
          std::string_view{"\0\0\x12\x04\0", 5}, std::string_view{"<html>"},
          std::string_view{"http/1.1 200 OK\r\n\r\n"}, std::string_view{"HTTP/2.0 200 OK\r\n\r\n"},
          std::string_view{"ICY 200 OK\r\n"}, std::string_view{"H?"}, std::string_view{"\r\n"}}) {
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
    for (const auto& [message, text] : cases) {
        CAPTURE(message);
        const auto outcome = whole(message);
        CHECK(outcome.state == Http1State::failed);
        CHECK(outcome.error == Http1Error::malformed);
        CHECK(outcome.text == text);
        check_splits(message);
    }
    CHECK(whole("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok").state ==
          Http1State::complete);
}

TEST_CASE("http1: zero bytes in a header") {
    constexpr std::string_view message{"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 28};
    CHECK(whole(message).text == "bad field value in the header");
}

TEST_CASE("http1: the end of the connection") {
    constexpr std::string_view message =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t length = 0; length < message.size(); ++length) {
        CAPTURE(length);
        check_splits(message.substr(0, length), true);
        const auto outcome = whole(message.substr(0, length), true);
        CHECK(outcome.state == Http1State::failed);
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
    while (header.size() < 60 * 1024) {
        header += line;
    }
    CHECK(whole(header + "Content-Length: 0\r\n\r\n").state == Http1State::complete);
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
    while (parser.state() == Http1State::header && fed < 1000 * 1000) {
        parser.feed(endless, sink);
        fed += endless.size();
    }
    CHECK(parser.error() == Http1Error::header_too_large);
    CHECK(fed < 70 * 1024);

    for (const std::string start : {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0;a=\"\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"\r\n\r\n"}) {
        CAPTURE(start);
        parser.reset();
        parser.feed(std::string_view{start}, sink);
        for (fed = 0; parser.state() == Http1State::body && fed < 1000 * 1000; fed += endless.size()) {
            parser.feed(endless, sink);
        }
        CHECK(parser.state() == Http1State::failed);
        CHECK(fed < 70 * 1024);
    }

    Http1Response small{Http1Limits{.header_bytes = 100}};
    CHECK(run(small, "HTTP/1.1 200 OK\r\nA: " + std::string(200, 'a') + "\r\n\r\n", {}, false).text ==
          "header over 100 bytes");
    small.reset();
    CHECK(run(small, "HTTP/1.1 200 " + std::string(200, 'a'), {}, false).error ==
          Http1Error::header_too_large);
    small.reset();
    CHECK(run(small, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", {}, false).state ==
          Http1State::complete);
}

TEST_CASE("http1: folded lines are joined") {
    constexpr std::string_view message =
        "HTTP/1.1 200 OK\r\nA: one\r\n two\r\nContent-Length: 0\r\n\r\n";
    CHECK(whole(message).log == "status 200 11 OK\nfield A=one two\nfield Content-Length=0\nend\n");
    check_splits(message);
}

TEST_CASE("http1: random mutations neither crash nor hang, whatever the split") {
    const std::vector<std::string> seeds{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n c\r\n\r\nhello",
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
                case 0: message[at] = alphabet[next(alphabet.size())]; break;
                case 1: message.insert(at, 1, alphabet[next(alphabet.size())]); break;
                default: message.erase(at, 1 + next(3)); break;
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
        if (expected.state == Http1State::complete) {
            CHECK(outcome == expected);
        }
    }
}

// Http2Client: what a hostile server sends costs little, and ends with a reason.
#include "tests/probes/wire/http2_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sonde::test {

TEST_CASE("http2: headers without end") {
    const std::string field = http2_block({{"a", std::string(1000, 'x')}});
    const auto fields = [&field](std::size_t count) {
        return http2_block({{":status", "200"}}) + repeated(field, count);
    };
    const auto in_frames = [](const std::string& block) {
        std::string frames;
        for (std::size_t at = 0; at < block.size(); at += 16384) {
            const bool last = at + 16384 >= block.size();
            frames += http2_frame(at == 0 ? h2::headers : h2::continuation,
                                  last ? h2::end_headers : 0,
                                  1,
                                  std::string_view{block}.substr(at, 16384));
        }
        return frames;
    };
    CHECK(ask(hello() + in_frames(fields(60)) + data_frame("", h2::end_stream)).state ==
          Http2State::complete);
    const auto large = ask(hello() + in_frames(fields(70)));
    CHECK(large.error == Http2Error::header_too_large);
    CHECK(large.text == "header over 64 KiB");
    CHECK(ends_with_goaway(large.output, h2::enhance_your_calm));

    // A bomb: a field of 4000 bytes in the table, then a byte for each time it is repeated.
    std::string bomb = http2_block({{":status", "200"}});
    bomb += '\x40';
    bomb += http2_block({{"b", std::string(3900, 'x')}}).substr(1);
    bomb += std::string(16000 - bomb.size(), '\xbe');
    const auto exploded = ask(hello() + in_frames(bomb));
    CHECK(exploded.error == Http2Error::header_too_large);
    CHECK(exploded.log.size() < std::size_t{80} * 1024);
    check_splits2(hello() + in_frames(bomb));

    const std::string started = hello() + header_frame({{":status", "200"}}) + data_frame("x");
    CHECK(ask(started + in_frames(repeated(field, 70))).text == "trailers over 64 KiB");

    const std::string drip = hello() + http2_frame(h2::headers, 0, 1, fields(0)) +
                             repeated(http2_frame(h2::continuation, 0, 1), 100);
    CHECK(ask(drip).error == Http2Error::flood);
    CHECK(ask(drip).text == "too many CONTINUATION frames");

    Http2Client small{{.header_bytes = 100}};
    CHECK(ask(small, hello() + header_frame({{":status", "200"}, {"a", std::string(50, 'x')}}), 1)
              .text == "header over 100 bytes");
}

TEST_CASE("http2: interim responses without end") {
    const std::string interim = header_frame({{":status", "103"}, {"a", std::string(500, 'x')}});
    CHECK(ask(hello() + repeated(interim, 50) + header_frame({{":status", "200"}}, h2::end_stream))
              .state == Http2State::complete);
    const auto many = ask(hello() + repeated(interim, 200));
    CHECK(many.error == Http2Error::header_too_large);
    CHECK(many.text == "interim responses over 64 KiB");
}

TEST_CASE("http2: floods") {
    const std::string ok = hello() + header_frame({{":status", "200"}});
    const auto text = [](std::string_view frame) {
        return "over 1000 frames that carry nothing, the last one " + std::string{frame};
    };
    const std::vector<std::pair<std::string, std::string>> cases{
        {http2_frame(h2::ping, 0, 0, "12345678"), "PING"},
        {http2_frame(h2::ping, h2::ack, 0, "12345678"), "PING"},
        {http2_frame(h2::settings, 0, 0), "SETTINGS"},
        {data_frame(""), "DATA"},
        {http2_frame(h2::data, h2::padded, 1, std::string{"\2\0\0", 3}), "DATA"},
        {http2_frame(h2::window_update, 0, 0, number(1)), "WINDOW_UPDATE"},
        {http2_frame(2, 0, 1, number(0) + "x"), "PRIORITY"},
    };
    for (const auto& example : cases) {
        CAPTURE(example.second);
        CHECK(ask(ok + repeated(example.first, 900) + data_frame("", h2::end_stream)).state ==
              Http2State::complete);
        for (const std::size_t step : {std::size_t{10000000}, std::size_t{100}}) {
            Http2Client client;
            const auto outcome = ask(client, ok + repeated(example.first, 3000), step);
            CHECK(outcome.error == Http2Error::flood);
            CHECK(outcome.text == text(example.second));
            CHECK(ends_with_goaway(outcome.output, h2::enhance_your_calm));
            CHECK(outcome.output.size() < std::size_t{40} * 1024);
        }
    }
    // With content between them they are what servers measure the way with.
    const std::string measured =
        data_frame(std::string(1024, 'x')) + http2_frame(h2::ping, 0, 0, "12345678");
    CHECK(ask(ok + repeated(measured, 5000)).state == Http2State::body);
    CHECK(ask(ok + repeated(http2_frame(0xee, 0, 0, std::string(16384, 'x')), 300)).text ==
          "over 4 MiB of frames that carry nothing");
}

TEST_CASE("http2: a server that wants answers and reads none") {
    Http2Client client;
    Recorder sink;
    client.request(get(), sink);
    client.feed(hello() + header_frame({{":status", "200"}}));
    const std::string piece =
        data_frame(std::string(2048, 'x')) + repeated(http2_frame(h2::ping, 0, 0, "12345678"), 2);
    std::size_t fed = 0;
    while (client.state() == Http2State::body && fed < 100000) {
        client.feed(piece);
        ++fed;
    }
    CHECK(client.error() == Http2Error::flood);
    CHECK(client.error_text() == "the server wants more answers than it reads");
    CHECK(client.output().size() < std::size_t{130} * 1024);
    CHECK(fed < 4000);
}

TEST_CASE("http2: random mutations neither crash nor hang, whatever the split") {
    const std::string seed = good_answer();
    std::uint64_t state = 42;
    const auto next = [&state](std::size_t below) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::size_t>(state >> 33U) % below;
    };
    Http2Client whole;
    Http2Client split;
    std::size_t completed = 0;
    for (int round = 0; round < 5000; ++round) {
        auto answer = seed;
        for (auto edits = 1 + next(3); edits > 0; --edits) {
            const auto at = next(answer.size());
            switch (next(4)) {
                case 0:
                    answer[at] = static_cast<char>(next(256));
                    break;
                case 1:
                    answer[at] =
                        static_cast<char>(static_cast<unsigned char>(answer[at]) ^ (1U << next(8)));
                    break;
                case 2:
                    answer.insert(at, 1, static_cast<char>(next(256)));
                    break;
                default:
                    answer.erase(at, 1 + next(3));
                    break;
            }
        }
        CAPTURE(round);
        const auto expected = ask(whole, answer, answer.size() + 1, true);
        const auto outcome = ask(split, answer, 1 + next(20), true);
        CHECK(outcome.state == expected.state);
        // A body of a wrong length is told at the end of what was fed: a worse error may be in it.
        CHECK((outcome.error == expected.error ||
               (outcome.error == Http2Error::malformed && expected.error == Http2Error::protocol)));
        if (expected.state == Http2State::complete) {
            ++completed;
            CHECK(outcome.log == expected.log);
            CHECK(outcome.body == expected.body);
        } else {
            CHECK(expected.state == Http2State::failed);
            CHECK_FALSE(expected.text.empty());
        }
    }
    CHECK(completed > 100);
}

}  // namespace sonde::test

// BodyDecoder: every coding in every split, and streams that lie.
#include "probes/wire/body_decoder.hpp"

#include <doctest/doctest.h>

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <tuple>
#include <vector>

using sonde::probes::wire::BodyDecoder;
using sonde::probes::wire::BodySink;
using sonde::probes::wire::DecodeError;
using sonde::probes::wire::DecodeState;

namespace {

constexpr std::uint64_t no_limit = static_cast<std::uint64_t>(-1);

class Collector final : public BodySink {
public:
    bool on_decoded(std::span<const char> piece) override {
        CHECK_FALSE(piece.empty());
        CHECK(piece.size() <= BodyDecoder::max_piece);
        body.append(piece.data(), piece.size());
        return body.size() < stop_at;
    }

    std::string body;
    std::size_t stop_at = static_cast<std::size_t>(-1);
};

enum class Wrap { gzip = 15 + 16, zlib = 15, raw = -15 };

std::string deflated(std::string_view text, Wrap wrap, int level = 6) {
    z_stream stream{};
    REQUIRE(deflateInit2(
                &stream, level, Z_DEFLATED, static_cast<int>(wrap), 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
    std::string in{text};
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string brotli(std::string_view text) {
    std::string out(BrotliEncoderMaxCompressedSize(text.size()) + 64, '\0');
    std::size_t size = out.size();
    REQUIRE(BrotliEncoderCompress(5,
                                  BROTLI_DEFAULT_WINDOW,
                                  BROTLI_DEFAULT_MODE,
                                  text.size(),
                                  reinterpret_cast<const std::uint8_t*>(text.data()),
                                  &size,
                                  reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_TRUE);
    out.resize(size);
    return out;
}

std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    const std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
    REQUIRE(ZSTD_isError(size) == 0);
    out.resize(size);
    return out;
}

struct Outcome {
    DecodeState state = DecodeState::more;
    DecodeError error = DecodeError::none;
    std::string body;

    bool operator==(const Outcome&) const = default;
};

Outcome run(BodyDecoder& decoder,
            std::string_view coding,
            std::string_view data,
            std::size_t step,
            std::uint64_t max_body = no_limit) {
    Collector sink;
    decoder.reset(max_body);
    decoder.add_encoding(coding);
    while (!data.empty()) {
        const auto size = std::min(step, data.size());
        const std::vector<char> piece(data.begin(),
                                      data.begin() + static_cast<std::ptrdiff_t>(size));
        const std::size_t before = sink.body.size();
        decoder.feed(piece, sink);
        if (!coding.empty() && coding != "identity") {
            CHECK(sink.body.size() - before <= 65536 + BodyDecoder::max_piece);
        }
        // Half of the time the next piece comes before the rest was asked for.
        while (decoder.pending() && data.size() % 2 == 0) {
            decoder.resume(sink);
        }
        data.remove_prefix(size);
    }
    while (decoder.pending()) {
        decoder.resume(sink);
    }
    decoder.finish();
    CHECK(decoder.decoded_bytes() == sink.body.size());
    return {decoder.state(), decoder.error(), sink.body};
}

std::string sample_text() {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
        text += "line " + std::to_string(i * i) + " of a body\n";
    }
    return text;
}

}  // namespace

TEST_CASE("decoder: every coding gives the text back, in every split") {
    BodyDecoder decoder;
    const auto text = sample_text();
    for (const std::string& plain : {std::string{}, std::string{"x"}, std::string{"hello"}, text}) {
        const std::vector<std::pair<std::string, std::string>> cases{
            {"", plain},
            {"identity", plain},
            {"gzip", deflated(plain, Wrap::gzip)},
            {"X-GZip", deflated(plain, Wrap::gzip, 0)},
            {" gzip ,", deflated(plain, Wrap::gzip, 9)},
            {"identity, gzip", deflated(plain, Wrap::gzip, 1)},
            {"deflate", deflated(plain, Wrap::zlib)},
            {"deflate", deflated(plain, Wrap::zlib, 0)},
            {"deflate", deflated(plain, Wrap::raw)},
            {"deflate", deflated(plain, Wrap::raw, 0)},
            {"br", brotli(plain)},
            {"zstd", zstd(plain)},
        };
        for (const auto& example : cases) {
            const auto& coding = example.first;
            const auto& data = example.second;
            CAPTURE(coding);
            CAPTURE(plain.size());
            for (const auto step :
                 std::initializer_list<std::size_t>{1, 2, 3, 7, 1000, 65536, 1 << 20}) {
                CAPTURE(step);
                CHECK(run(decoder, coding, data, step) ==
                      Outcome{DecodeState::more, DecodeError::none, plain});
            }
        }
    }
}

TEST_CASE("decoder: gzip with several members") {
    BodyDecoder decoder;
    const auto members =
        deflated("one ", Wrap::gzip) + deflated("", Wrap::gzip) + deflated("two", Wrap::gzip);
    for (const auto step : std::initializer_list<std::size_t>{1, 2, 5, 1000}) {
        CHECK(run(decoder, "gzip", members, step).body == "one two");
        CHECK(decoder.error() == DecodeError::none);
        CHECK(run(decoder, "gzip", members.substr(0, members.size() - 1), step).error ==
              DecodeError::truncated);
        CHECK(run(decoder, "gzip", members + '\x1f', step).error == DecodeError::truncated);
        CHECK(run(decoder, "gzip", members + "junk", step).error == DecodeError::corrupt);
        CHECK(run(decoder, "gzip", members + std::string(4, '\0'), step).error ==
              DecodeError::corrupt);
    }
    CHECK(decoder.error_text() ==
          "broken compressed body: data after the end of the compressed body");
}

TEST_CASE("decoder: truncated, changed and trailing bytes are errors in every split") {
    BodyDecoder decoder;
    const std::string text = sample_text().substr(0, 500);
    for (const auto wrap : {Wrap::gzip, Wrap::zlib, Wrap::raw}) {
        const auto* coding = wrap == Wrap::gzip ? "gzip" : "deflate";
        const auto data = deflated(text, wrap);
        for (std::size_t length = 1; length < data.size(); ++length) {
            CAPTURE(length);
            CHECK(run(decoder, coding, data.substr(0, length), 1000).error ==
                  DecodeError::truncated);
            CHECK(run(decoder, coding, data.substr(0, length), 1).error == DecodeError::truncated);
        }
        CHECK(run(decoder, coding, data + 'x', 1).error == DecodeError::corrupt);
        CHECK(run(decoder, coding, data + 'x', 10000).error == DecodeError::corrupt);
        for (std::size_t at = 0; at < data.size(); ++at) {
            auto changed = data;
            changed[at] = static_cast<char>(changed[at] ^ 0x55);
            CAPTURE(at);
            const auto whole = run(decoder, coding, changed, 10000);
            const auto bytes = run(decoder, coding, changed, 1);
            CHECK(whole.error == bytes.error);
            // Raw deflate has no checksum; the header of gzip has a time and a system nobody
            // checks.
            if (wrap == Wrap::zlib || (wrap == Wrap::gzip && at >= 10)) {
                CHECK(whole.error != DecodeError::none);
            }
        }
    }
    CHECK(run(decoder, "gzip", "<html>", 100).error == DecodeError::corrupt);
    CHECK(decoder.error_text() == "broken compressed body: incorrect header check");
}

TEST_CASE("decoder: br and zstd that are cut, broken, followed by something, or bombs") {
    BodyDecoder decoder;
    const std::string text = sample_text();
    const std::string bomb(std::size_t{64} << 20, 'x');
    for (const auto& [coding, good, bad] :
         {std::tuple{std::string{"br"}, brotli(text), brotli(bomb)},
          std::tuple{std::string{"zstd"}, zstd(text), zstd(bomb)}}) {
        CAPTURE(coding);
        CHECK(bad.size() < 10'000);
        for (const auto step : std::initializer_list<std::size_t>{1, 1000, 1 << 20}) {
            CAPTURE(step);
            CHECK(run(decoder, coding, good, step).body == text);
            CHECK(decoder.encoding() == coding);
            CHECK(run(decoder, coding, good.substr(0, good.size() - 1), step).error ==
                  DecodeError::truncated);
            CHECK(run(decoder, coding, good + "junk", step).error == DecodeError::corrupt);
            CHECK(run(decoder, coding, "<html>" + good, step).state == DecodeState::failed);
            const Outcome limited = run(decoder, coding, bad, step, 1000);
            CHECK(limited.error == DecodeError::too_large);
            CHECK(limited.body.size() == 1000);
        }
    }
    CHECK(run(decoder, "zstd", zstd("one ") + zstd("two"), 1).body == "one two");
}

TEST_CASE("decoder: a body of no bytes is good in every coding") {
    BodyDecoder decoder;
    for (const std::string coding : {"gzip", "deflate", "identity", "br", "zstd"}) {
        CHECK(run(decoder, coding, "", 1).state == DecodeState::more);
    }
}

TEST_CASE("decoder: unknown and stacked codings") {
    BodyDecoder decoder;
    CHECK(run(decoder, "compress", "data", 1) ==
          Outcome{DecodeState::failed, DecodeError::unsupported, ""});
    CHECK(decoder.error_text() == "unsupported Content-Encoding \"compress\"");
    CHECK(run(decoder, "gzip, gzip", "data", 1).error == DecodeError::unsupported);
    CHECK(decoder.error_text() == "more than one Content-Encoding on top of each other");
    decoder.reset(no_limit);
    CHECK(decoder.is_identity());
    CHECK(decoder.add_encoding("gzip"));
    CHECK_FALSE(decoder.is_identity());
    CHECK_FALSE(decoder.add_encoding("deflate"));
    CHECK_FALSE(decoder.add_encoding("gzip"));
    CHECK(decoder.error() == DecodeError::unsupported);
    decoder.reset(no_limit);
    CHECK(decoder.error() == DecodeError::none);
    CHECK_FALSE(decoder.add_encoding("a\r\nb\x1b"));
    CHECK(decoder.error_text() == "unsupported Content-Encoding \"a\\x0d\\x0ab\\x1b\"");
}

TEST_CASE("decoder: the limit holds exactly, and for bombs") {
    BodyDecoder decoder;
    const std::string text(100000, 'a');
    for (const auto& [coding, data] : {std::pair{"", text}, {"gzip", deflated(text, Wrap::gzip)}}) {
        for (const auto step : std::initializer_list<std::size_t>{1, 1000, 1 << 20}) {
            CAPTURE(step);
            CHECK(run(decoder, coding, data, step, text.size()).state == DecodeState::more);
            const auto over = run(decoder, coding, data, step, text.size() - 1);
            CHECK(over.error == DecodeError::too_large);
            CHECK(over.body.size() == text.size() - 1);
            CHECK(decoder.error_text() == "body over 99999 bytes");
        }
    }
    // A gigabyte in a megabyte stops at the limit, after a few calls' worth of work.
    const auto bomb = deflated(std::string(1U << 26U, '\0'), Wrap::gzip);
    CHECK(bomb.size() < 100000);
    CHECK(run(decoder, "gzip", bomb, 4096, 1000000).error == DecodeError::too_large);
    CHECK(run(decoder, "gzip", bomb, 4096, 0).error == DecodeError::too_large);
}

TEST_CASE("decoder: the sink may stop") {
    BodyDecoder decoder;
    const auto data = deflated(std::string(100000, 'a'), Wrap::gzip);
    decoder.reset(no_limit);
    decoder.add_encoding("gzip");
    Collector sink;
    sink.stop_at = 1;
    CHECK(decoder.feed(data, sink) == DecodeState::stopped);
    CHECK(sink.body.size() == BodyDecoder::max_piece);
    CHECK(decoder.feed(data, sink) == DecodeState::stopped);
    CHECK(decoder.finish() == DecodeState::stopped);
    CHECK(sink.body.size() == BodyDecoder::max_piece);
    CHECK(decoder.error() == DecodeError::none);
}

TEST_CASE("decoder: random bytes never crash and do not depend on the split") {
    BodyDecoder decoder;
    std::uint64_t state = 7;
    const auto next = [&state] {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return static_cast<unsigned>(state >> 33U);
    };
    for (int round = 0; round < 3000; ++round) {
        std::string data = round % 2 == 0 ? deflated("some text", Wrap::gzip).substr(0, 10) : "";
        for (auto left = next() % 60; left > 0; --left) {
            data += static_cast<char>(next());
        }
        const auto* coding = round % 2 == 0 ? "gzip" : "deflate";
        CAPTURE(round);
        const auto whole = run(decoder, coding, data, 1000, 100000);
        const auto bytes = run(decoder, coding, data, 1, 100000);
        CHECK(whole.error == bytes.error);
        CHECK(whole.body == bytes.body);
        for (const std::string dense : {"br", "zstd"}) {
            CAPTURE(dense);
            const std::string good = dense == "br" ? brotli("some text") : zstd("some text");
            const std::string half = good.substr(0, 1 + next() % good.size()) + data;
            CHECK(run(decoder, dense, half, 1000, 100000).state ==
                  run(decoder, dense, half, 1, 100000).state);
        }
    }
}

// Content codings: negotiation by the letter of RFC 9110, round trips, memory, what is left alone.
#include "exporter/server/compression.hpp"

#include "tests/exporter/server/inflate.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

using namespace sonde::exporter;

namespace {

/// `count` pieces of `size` bytes; hard to compress when `noisy`.
class Pieces final : public BodySource {
public:
    Pieces(std::size_t count, std::size_t size, bool noisy)
        : count_(count),
          size_(size),
          noisy_(noisy) {}

    bool next(std::string& out) override {
        for (std::size_t index = 0; index < size_; ++index) {
            state_ = state_ * 6364136223846793005U + 1442695040888963407U;
            out += noisy_ ? static_cast<char>(state_ >> 56) : static_cast<char>('a' + index % 7);
        }
        return ++made_ < count_;
    }

private:
    std::size_t count_;
    std::size_t size_;
    bool noisy_;
    std::size_t made_ = 0;
    std::uint64_t state_ = 1;
};

class Broken final : public BodySource {
public:
    bool next(std::string&) override { throw std::runtime_error("broken"); }
};

struct Drawn {
    std::string text;
    std::size_t largest = 0;
};

Drawn draw(BodySource& source) {
    Drawn drawn;
    bool more = true;
    while (more) {
        std::string piece;
        more = source.next(piece);
        drawn.largest = std::max(drawn.largest, piece.size());
        drawn.text += piece;
    }
    return drawn;
}

std::string decode(ContentCoding coding, const std::string& data) {
    return coding == ContentCoding::gzip ? test::gunzip(data) : test::unzstd(data);
}

std::string field(const HttpResponse& response, std::string_view wanted) {
    std::string values;
    for (const auto& [name, value] : response.headers) {
        if (name == wanted) {
            values += value;
        }
    }
    return values;
}

}  // namespace

TEST_CASE("content codings are negotiated by weight, zstd first among equals") {
    struct Case {
        std::string_view header;
        std::string_view coding;
    };

    for (const auto& [header, coding] : {
             Case{"", "identity"},
             Case{"gzip", "gzip"},
             Case{"x-gzip", "gzip"},
             Case{"GZIP", "gzip"},
             Case{"zstd", "zstd"},
             Case{"gzip, deflate, br, zstd", "zstd"},
             Case{"zstd;q=0.5, gzip", "gzip"},
             Case{"zstd;q=0.5, gzip;q=0.50", "zstd"},
             Case{" gzip ; q=0.2 ,zstd ;q=0.1", "gzip"},
             Case{"zstd;q=0, gzip;q=0.001", "gzip"},
             Case{"gzip;q=0", "identity"},
             Case{"gzip;q=0.000, zstd;q=0", "identity"},
             Case{"*", "zstd"},
             Case{"zstd;q=0, *", "gzip"},
             Case{"*;q=0", "identity"},
             Case{"gzip, *;q=0", "gzip"},
             Case{"identity, gzip;q=0.5", "identity"},
             Case{"identity;q=0.5, gzip", "gzip"},
             Case{"identity;q=0", "identity"},  // nothing else was accepted: better than no answer
             Case{"br, deflate", "identity"},
             Case{"gzip;q=nonsense", "identity"},
             Case{"gzip;q=2", "identity"},
             Case{"gzip;q=-1", "identity"},
             Case{"gzip;q=", "identity"},
             Case{"gzip;level=9;q=0.5, zstd;q=0.4", "gzip"},
             Case{",,;;,gzip,", "gzip"},
             Case{";q=1,=,*x", "identity"},
         }) {
        CAPTURE(header);
        CHECK(name(negotiate_coding(header)) == coding);
    }
}

TEST_CASE("what was compressed decodes to what was given, in pieces of bounded size") {
    for (const auto coding : {ContentCoding::gzip, ContentCoding::zstd}) {
        for (const bool noisy : {false, true}) {
            CAPTURE(name(coding));
            CAPTURE(noisy);
            Pieces plain(40, 64 * 1024, noisy);
            const auto compressor =
                make_compressor(coding, std::make_unique<Pieces>(40, 64 * 1024, noisy));
            const auto drawn = draw(*compressor);
            CHECK(decode(coding, drawn.text) == draw(plain).text);
            CHECK(drawn.largest < 512 * 1024);
            if (!noisy) {
                CHECK(drawn.text.size() < 40 * 64 * 1024 / 20);
            }
        }
    }
}

TEST_CASE("empty pieces and an empty body are whole streams too") {
    for (const auto coding : {ContentCoding::gzip, ContentCoding::zstd}) {
        for (const std::size_t count : {1U, 5U}) {
            const auto compressor =
                make_compressor(coding, std::make_unique<Pieces>(count, 0, false));
            CHECK(decode(coding, draw(*compressor).text).empty());
        }
    }
}

TEST_CASE("a failure of the source comes through a compressor") {
    const auto compressor = make_compressor(ContentCoding::zstd, std::make_unique<Broken>());
    std::string piece;
    CHECK_THROWS_WITH(compressor->next(piece), "broken");
}

TEST_CASE("a large body of an answer is compressed and says so") {
    for (const auto coding : {ContentCoding::gzip, ContentCoding::zstd}) {
        HttpResponse response;
        response.body = std::string(200'000, 'x');
        compress_response(response, name(coding));
        CHECK(field(response, "Content-Encoding") == name(coding));
        CHECK(field(response, "Vary") == "Accept-Encoding");
        REQUIRE(response.source);
        CHECK(decode(coding, draw(*response.source).text) == std::string(200'000, 'x'));
    }
}

TEST_CASE("a streamed answer is compressed whole, the piece that was looked at too") {
    HttpResponse response;
    response.source = std::make_unique<Pieces>(10, 1000, true);
    compress_response(response, "gzip");
    Pieces plain(10, 1000, true);
    REQUIRE(response.source);
    CHECK(test::gunzip(draw(*response.source).text) == draw(plain).text);
}

TEST_CASE("small bodies and clients that accept nothing get the body as it is, but Vary") {
    HttpResponse small;
    small.body = "small";
    compress_response(small, "gzip");
    CHECK(small.body == "small");
    CHECK_FALSE(small.source);
    CHECK(field(small, "Content-Encoding").empty());
    CHECK(field(small, "Vary") == "Accept-Encoding");

    HttpResponse one_piece;
    one_piece.source = std::make_unique<Pieces>(1, 7, false);
    compress_response(one_piece, "gzip");
    CHECK(one_piece.body == "abcdefg");
    CHECK_FALSE(one_piece.source);

    HttpResponse refused;
    refused.body = std::string(100'000, 'x');
    compress_response(refused, "br");
    CHECK(refused.body.size() == 100'000);
    CHECK(field(refused, "Content-Encoding").empty());
    CHECK(field(refused, "Vary") == "Accept-Encoding");
}

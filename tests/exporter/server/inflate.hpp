// Decoders of gzip and zstd for tests, each from the library that users' clients have too.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <stdexcept>
#include <string>

namespace sonde::exporter::test {

/// Throws std::runtime_error unless `data` is exactly one whole gzip stream.
inline std::string gunzip(std::string data) {
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) {
        throw std::runtime_error("inflateInit2");
    }
    stream.next_in = reinterpret_cast<Bytef*>(data.data());
    stream.avail_in = static_cast<uInt>(data.size());
    std::string out;
    std::array<char, 64 * 1024> piece{};
    int result = Z_OK;
    while (result == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = static_cast<uInt>(piece.size());
        result = inflate(&stream, Z_NO_FLUSH);
        out.append(piece.data(), piece.size() - stream.avail_out);
    }
    const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    if (!whole) {
        throw std::runtime_error("not one whole gzip stream");
    }
    return out;
}

/// Throws std::runtime_error unless `data` is exactly one whole zstd frame.
inline std::string unzstd(const std::string& data) {
    ZSTD_DCtx* context = ZSTD_createDCtx();
    ZSTD_inBuffer input{data.data(), data.size(), 0};
    std::string out;
    std::array<char, 64 * 1024> piece{};
    std::size_t left = 1;
    while (left != 0 && ZSTD_isError(left) == 0) {
        ZSTD_outBuffer output{piece.data(), piece.size(), 0};
        const auto before = input.pos;
        left = ZSTD_decompressStream(context, &output, &input);
        out.append(piece.data(), output.pos);
        if (output.pos == 0 && input.pos == before) {
            break;
        }
    }
    ZSTD_freeDCtx(context);
    if (left != 0 || input.pos != input.size) {
        throw std::runtime_error("not one whole zstd frame");
    }
    return out;
}

}  // namespace sonde::exporter::test

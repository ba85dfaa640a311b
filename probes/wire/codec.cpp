#include "probes/wire/codec.hpp"

#include <brotli/decode.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>

#define ZLIB_CONST
#include <zlib.h>

namespace sonde::probes::wire {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(ContentCoding::count)> names{
    "gzip", "deflate", "br", "zstd"};
static_assert(!names.back().empty());

constexpr std::string_view data_after_end = "data after the end of the compressed body";

class InflateCodec final : public Codec {
public:
    explicit InflateCodec(bool gzip) : gzip_(gzip) {
        if (inflateInit2(&stream_, gzip_bits) != Z_OK) {
            throw std::bad_alloc{};
        }
    }

    InflateCodec(const InflateCodec&) = delete;
    InflateCodec& operator=(const InflateCodec&) = delete;

    ~InflateCodec() override { inflateEnd(&stream_); }

    void reset() override {
        ended_ = false;
        detected_ = gzip_;
        has_first_ = false;
        inflateReset2(&stream_, gzip_ ? gzip_bits : zlib_bits);
    }

    [[nodiscard]] bool is_worth_keeping() const override { return true; }

    [[nodiscard]] bool at_end() const override { return ended_; }

    Step step(std::span<const char> in, std::span<char> out) override {
        if (in.empty()) {
            return has_first_ || ended_ ? Step{} : run(in, out);
        }
        if (!detected_) {
            return detect(in, out);
        }
        if (ended_) {
            // Another member may follow in gzip (RFC 1952 section 2.2), nothing in deflate.
            if (!gzip_ || static_cast<unsigned char>(in.front()) != 0x1f) {
                return {0, 0, data_after_end};
            }
            inflateReset(&stream_);
            ended_ = false;
        }
        return run(in, out);
    }

private:
    static constexpr int zlib_bits = 15;
    static constexpr int gzip_bits = 15 + 16;
    static constexpr int raw_bits = -15;

    // Two bytes tell RFC 1950's header from a raw stream: the method is 8, the window at most 32
    // KiB and the check bits fit. A raw stream that begins so would be a stored block with odd
    // padding.
    Step detect(std::span<const char> in, std::span<char> out) {
        if (!has_first_) {
            first_ = in.front();
            has_first_ = true;
            return {1, 0, {}};  // the second comes in the next step
        }
        const std::array<char, 2> head{first_, in.front()};
        const auto cmf = static_cast<unsigned char>(head[0]);
        const auto flags = static_cast<unsigned char>(head[1]);
        const bool zlib = (cmf & 0x0f) == 8 && (cmf >> 4) <= 7 && (cmf * 256 + flags) % 31 == 0;
        inflateReset2(&stream_, zlib ? zlib_bits : raw_bits);
        detected_ = true;
        has_first_ = false;
        // No raw or wrapped stream ends before its second byte, so that both are always taken.
        auto done = run(head, out);
        done.taken = 1;
        return done;
    }

    Step run(std::span<const char> in, std::span<char> out) {
        constexpr std::size_t most = 1U << 30U;  // what fits zlib's 32-bit counts
        const auto size = std::min(in.size(), most);
        stream_.next_in = reinterpret_cast<const Bytef*>(in.data());
        stream_.avail_in = static_cast<uInt>(size);
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        const int result = ::inflate(&stream_, Z_NO_FLUSH);
        Step done{size - stream_.avail_in, out.size() - stream_.avail_out, {}};
        ended_ = result == Z_STREAM_END;
        if (result == Z_NEED_DICT) {
            done.broken = "preset dictionary";
        } else if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            // Z_BUF_ERROR only says that nothing moved this time.
            done.broken = stream_.msg != nullptr ? stream_.msg : "inflate failed";
        }
        return done;
    }

    z_stream stream_{};
    bool gzip_;
    bool ended_ = false;
    bool detected_ = true;
    bool has_first_ = false;
    char first_ = 0;
};

class BrotliCodec final : public Codec {
public:
    // The library cannot begin anew in the same memory.
    void reset() override {
        state_.reset(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
        if (!state_) {
            throw std::bad_alloc{};
        }
    }

    // A window may take 16 MiB.
    [[nodiscard]] bool is_worth_keeping() const override { return false; }

    [[nodiscard]] bool at_end() const override {
        return BrotliDecoderIsFinished(state_.get()) == BROTLI_TRUE;
    }

    Step step(std::span<const char> in, std::span<char> out) override {
        if (at_end()) {
            return {0, 0, in.empty() ? std::string_view{} : data_after_end};
        }
        std::size_t left = in.size();
        std::size_t room = out.size();
        const auto* next_in = reinterpret_cast<const std::uint8_t*>(in.data());
        auto* next_out = reinterpret_cast<std::uint8_t*>(out.data());
        const BrotliDecoderResult result =
            BrotliDecoderDecompressStream(state_.get(), &left, &next_in, &room, &next_out, nullptr);
        Step done{in.size() - left, out.size() - room, {}};
        if (result == BROTLI_DECODER_RESULT_ERROR) {
            done.broken = BrotliDecoderErrorString(BrotliDecoderGetErrorCode(state_.get()));
        }
        return done;
    }

private:
    struct Destroy {
        void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
    };

    std::unique_ptr<BrotliDecoderState, Destroy> state_;
};

class ZstdCodec final : public Codec {
public:
    ZstdCodec() : state_(ZSTD_createDCtx()) {
        if (!state_) {
            throw std::bad_alloc{};
        }
        // RFC 9659: a window over 8 MiB is no content coding's.
        constexpr int largest_window = 23;
        ZSTD_DCtx_setParameter(state_.get(), ZSTD_d_windowLogMax, largest_window);
    }

    void reset() override {
        ZSTD_DCtx_reset(state_.get(), ZSTD_reset_session_only);
        ended_ = false;
    }

    // A window may take 8 MiB.
    [[nodiscard]] bool is_worth_keeping() const override {
        constexpr std::size_t little = std::size_t{512} * 1024;
        return ZSTD_sizeof_DCtx(state_.get()) <= little;
    }

    [[nodiscard]] bool at_end() const override { return ended_; }

    Step step(std::span<const char> in, std::span<char> out) override {
        if (in.empty() && ended_) {
            return {};
        }
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        ZSTD_outBuffer to{out.data(), out.size(), 0};
        // Another frame may follow (RFC 8878 section 3.1).
        const std::size_t hint = ZSTD_decompressStream(state_.get(), &to, &from);
        Step done{from.pos, to.pos, {}};
        if (ZSTD_isError(hint) != 0) {
            done.broken = ZSTD_getErrorName(hint);
        }
        ended_ = hint == 0;
        return done;
    }

private:
    struct Free {
        void operator()(ZSTD_DCtx* state) const { ZSTD_freeDCtx(state); }
    };

    std::unique_ptr<ZSTD_DCtx, Free> state_;
    bool ended_ = false;
};

}  // namespace

std::string_view name(ContentCoding coding) {
    return names[static_cast<std::size_t>(coding)];
}

std::optional<ContentCoding> content_coding(std::string_view name) {
    const auto found = std::ranges::find(names, name == "x-gzip" ? "gzip" : name);
    return found == names.end() ? std::nullopt
                                : std::optional{static_cast<ContentCoding>(found - names.begin())};
}

std::unique_ptr<Codec> make_codec(ContentCoding coding) {
    switch (coding) {
        case ContentCoding::brotli:
            return std::make_unique<BrotliCodec>();
        case ContentCoding::zstd:
            return std::make_unique<ZstdCodec>();
        case ContentCoding::gzip:
        case ContentCoding::deflate:
        case ContentCoding::count:
            break;
    }
    return std::make_unique<InflateCodec>(coding == ContentCoding::gzip);
}

}  // namespace sonde::probes::wire

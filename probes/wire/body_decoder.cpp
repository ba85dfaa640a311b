// The codings themselves, each a Codec; the limits and the sink are the same for all.
#include "probes/wire/body_decoder.hpp"

#include "probes/wire/printable.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#define ZLIB_CONST
#include <zlib.h>

namespace sonde::probes::wire {

namespace {

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const auto begin = text.find_first_not_of(blanks);
    return begin == std::string_view::npos
               ? std::string_view{}
               : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string lower(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

}  // namespace

class BodyDecoder::Codec {
public:
    struct Step {
        std::size_t taken = 0;
        std::size_t made = 0;
        std::string_view broken;  // why the stream is corrupt; empty when it is not
    };

    Codec() = default;
    Codec(const Codec&) = delete;
    Codec& operator=(const Codec&) = delete;
    virtual ~Codec() = default;

    /// Takes and makes what it can. Called again, with what is left, until it makes less than
    /// `out`.
    virtual Step step(std::span<const char> in, std::span<char> out) = 0;

    /// Whether the stream may end here.
    [[nodiscard]] virtual bool at_end() const = 0;
};

class BodyDecoder::InflateCodec final : public Codec {
public:
    InflateCodec() {
        if (inflateInit2(&stream_, gzip_bits) != Z_OK) {
            throw std::bad_alloc{};
        }
    }

    InflateCodec(const InflateCodec&) = delete;
    InflateCodec& operator=(const InflateCodec&) = delete;

    ~InflateCodec() override { inflateEnd(&stream_); }

    void reset(bool gzip) {
        gzip_ = gzip;
        ended_ = false;
        detected_ = gzip;
        has_first_ = false;
        inflateReset2(&stream_, gzip ? gzip_bits : zlib_bits);
    }

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
                return {0, 0, "data after the end of the compressed body"};
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
    bool gzip_ = true;
    bool ended_ = false;
    bool detected_ = true;
    bool has_first_ = false;
    char first_ = 0;
};

BodyDecoder::BodyDecoder() = default;
BodyDecoder::BodyDecoder(BodyDecoder&&) noexcept = default;
BodyDecoder& BodyDecoder::operator=(BodyDecoder&&) noexcept = default;
BodyDecoder::~BodyDecoder() = default;

void BodyDecoder::reset(std::uint64_t max_body) {
    codec_ = nullptr;
    state_ = DecodeState::more;
    error_ = DecodeError::none;
    error_text_.clear();
    any_input_ = false;
    max_body_ = max_body;
    decoded_ = 0;
}

bool BodyDecoder::add_encoding(std::string_view field_value) {
    while (!field_value.empty()) {
        const auto comma = std::min(field_value.find(','), field_value.size());
        const auto coding = lower(trim(field_value.substr(0, comma)));
        field_value.remove_prefix(std::min(comma + 1, field_value.size()));
        if (!coding.empty() && coding != "identity" && !choose(coding)) {
            return false;
        }
    }
    return true;
}

bool BodyDecoder::choose(std::string_view coding) {
    if (error_ != DecodeError::none) {
        return false;
    }
    const bool gzip = coding == "gzip" || coding == "x-gzip";
    if (!gzip && coding != "deflate") {
        return refuse("unsupported Content-Encoding \"" + printable(coding) + '"');
    }
    if (codec_ != nullptr) {
        return refuse("more than one Content-Encoding on top of each other");
    }
    if (!inflate_) {
        inflate_ = std::make_unique<InflateCodec>();
    }
    inflate_->reset(gzip);
    codec_ = inflate_.get();
    return true;
}

bool BodyDecoder::refuse(std::string text) {
    error_ = DecodeError::unsupported;
    error_text_ = std::move(text);
    return false;
}

void BodyDecoder::fail(DecodeError error, std::string text) {
    state_ = DecodeState::failed;
    error_ = error;
    error_text_ = std::move(text);
}

DecodeState BodyDecoder::feed(std::span<const char> data, BodySink& sink) {
    if (state_ != DecodeState::more || data.empty()) {
        return state_;
    }
    any_input_ = true;
    if (error_ == DecodeError::unsupported) {
        state_ = DecodeState::failed;
    } else if (codec_ != nullptr) {
        feed_codec(data, sink);
    } else {
        while (state_ == DecodeState::more && !data.empty()) {
            const auto piece = data.first(std::min(data.size(), max_piece));
            give(piece, sink);
            data = data.subspan(piece.size());
        }
    }
    return state_;
}

void BodyDecoder::feed_codec(std::span<const char> data, BodySink& sink) {
    // Zlib fills what is read of it, so clearing 16 KiB for each call would be for nothing.
    std::array<char, max_piece> out;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (;;) {
        const auto step = codec_->step(data, out);
        give(std::span<const char>{out}.first(step.made), sink);
        if (state_ != DecodeState::more) {
            return;
        }
        if (!step.broken.empty()) {
            fail(DecodeError::corrupt, "broken compressed body: " + std::string{step.broken});
            return;
        }
        data = data.subspan(step.taken);
        if (data.empty() && step.made < out.size()) {
            return;
        }
    }
}

void BodyDecoder::give(std::span<const char> piece, BodySink& sink) {
    // What is within the limit is given whatever the split, so that the sink's view does not depend
    // on it.
    const auto room = max_body_ - decoded_;
    const auto good =
        piece.first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), room)));
    decoded_ += good.size();
    if (!good.empty() && !sink.on_decoded(good)) {
        state_ = DecodeState::stopped;
    } else if (good.size() < piece.size()) {
        fail(DecodeError::too_large, "body over " + std::to_string(max_body_) + " bytes");
    }
}

DecodeState BodyDecoder::finish() {
    if (state_ == DecodeState::more && any_input_ && codec_ != nullptr && !codec_->at_end()) {
        fail(DecodeError::truncated,
             "the compressed body ends too early, after " + std::to_string(decoded_) +
                 " decoded bytes");
    }
    return state_;
}

}  // namespace sonde::probes::wire

// The limits and the sink, which are the same for all codings.
#include "probes/wire/body_decoder.hpp"

#include "probes/trim.hpp"
#include "probes/url_text.hpp"
#include "probes/wire/printable.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sonde::probes::wire {

namespace {

constexpr std::size_t most_at_once = std::size_t{64} * 1024;

}  // namespace

BodyDecoder::BodyDecoder() = default;
BodyDecoder::BodyDecoder(BodyDecoder&&) noexcept = default;
BodyDecoder& BodyDecoder::operator=(BodyDecoder&&) noexcept = default;
BodyDecoder::~BodyDecoder() = default;

void BodyDecoder::reset(std::uint64_t max_body) {
    if (codec_ != nullptr && !codec_->is_worth_keeping()) {
        std::ranges::find(codecs_, codec_, &std::unique_ptr<Codec>::get)->reset();
    }
    codec_ = nullptr;
    encoding_ = "identity";
    state_ = DecodeState::more;
    error_ = DecodeError::none;
    error_text_.clear();
    any_input_ = false;
    pending_ = false;
    left_.clear();
    max_body_ = max_body;
    decoded_ = 0;
}

bool BodyDecoder::add_encoding(std::string_view field_value) {
    while (!field_value.empty()) {
        const auto comma = std::min(field_value.find(','), field_value.size());
        const auto coding = url_lower(trim(field_value.substr(0, comma)));
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
    const auto kind = content_coding(coding);
    if (!kind) {
        return refuse("unsupported Content-Encoding \"" + printable(coding) + '"');
    }
    if (codec_ != nullptr) {
        return refuse("more than one Content-Encoding on top of each other");
    }
    auto& codec = codecs_[static_cast<std::size_t>(*kind)];
    if (!codec) {
        codec = make_codec(*kind);
    }
    codec->reset();
    codec_ = codec.get();
    encoding_ = name(*kind);
    return true;
}

bool BodyDecoder::refuse(std::string text) {
    error_ = DecodeError::unsupported;
    encoding_ = "unsupported";
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

DecodeState BodyDecoder::resume(BodySink& sink) {
    if (pending()) {
        pending_ = false;
        const std::string data = std::exchange(left_, {});
        feed_codec(data, sink);
    }
    return state_;
}

void BodyDecoder::feed_codec(std::span<const char> data, BodySink& sink) {
    if (pending_) {
        left_.append(data.data(), data.size());
        return;
    }
    // Zlib fills what is read of it, so clearing 16 KiB for each call would be for nothing.
    std::array<char, max_piece> out;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (std::size_t given = 0; given < most_at_once;) {
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
        given += step.made;
    }
    pending_ = true;
    left_.assign(data.data(), data.size());
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

// Content-Encoding (RFC 9110 section 8.4) undone as the bytes arrive, in constant memory.
// It knows no HTTP beyond the field's value; a new coding is one class in codec.cpp.
#pragma once

#include "probes/wire/codec.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sonde::probes::wire {

enum class DecodeState : std::uint8_t {
    more,     // go on
    stopped,  // the sink wanted no more
    failed    // error() says why
};

enum class DecodeError : std::uint8_t {
    none,
    unsupported,  // a coding that we do not speak, or codings on top of each other
    corrupt,      // also data after the end of the coded stream
    truncated,
    too_large  // decoded, the body is over max_body
};

class BodySink {
public:
    BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;
    virtual ~BodySink() = default;

    /// A piece of the decoded body, never empty, at most BodyDecoder::max_piece bytes, valid during
    /// the call only. False: no more is wanted.
    [[nodiscard]] virtual bool on_decoded(std::span<const char> piece) = 0;
};

/// Codings: identity, gzip and x-gzip (RFC 1952, also several members), deflate (zlib-wrapped as
/// RFC 9110 has it, and raw as old servers send it; told apart by the first bytes), br and zstd.
/// Reusable: reset() keeps the memory (40 KiB once something of gzip or deflate was seen, the
/// window of up to 8 MiB with zstd), a warm decoder allocates nothing but for br. Not thread safe.
class BodyDecoder {
public:
    static constexpr std::size_t max_piece = std::size_t{16} * 1024;

    BodyDecoder();
    BodyDecoder(BodyDecoder&&) noexcept;
    BodyDecoder& operator=(BodyDecoder&&) noexcept;
    ~BodyDecoder();

    /// Begins a body without codings. `max_body`: decoded bytes that are still good.
    void reset(std::uint64_t max_body);

    /// Before the first feed(), once for each Content-Encoding field, with its value. False: the
    /// coding is unknown or a second one; error() says so at once, and the first byte of a body
    /// will fail. (A body of no bytes does not fail: a caller may ignore the answer.)
    bool add_encoding(std::string_view field_value);

    /// Of a coded body a call gives the sink some 64 KiB at most, however much the bytes become:
    /// what is left waits for resume().
    DecodeState feed(std::span<const char> data, BodySink& sink);

    /// Whether resume() has something to do.
    [[nodiscard]] bool pending() const { return state_ == DecodeState::more && pending_; }

    /// Goes on with what feed() left, as much as one feed() does.
    DecodeState resume(BodySink& sink);

    /// The end of the body, when nothing is pending: `failed` (truncated) when the coded stream is
    /// not at its end. A body of no bytes at all is good in every coding (servers send it with 204,
    /// HEAD and empty errors).
    DecodeState finish();

    [[nodiscard]] DecodeState state() const { return state_; }

    [[nodiscard]] DecodeError error() const { return error_; }

    /// One line without a final stop; empty without an error.
    [[nodiscard]] const std::string& error_text() const { return error_text_; }

    [[nodiscard]] std::uint64_t decoded_bytes() const { return decoded_; }

    [[nodiscard]] bool is_identity() const { return codec_ == nullptr; }

    /// "identity", "gzip", "deflate", "br", "zstd" or "unsupported".
    [[nodiscard]] std::string_view encoding() const { return encoding_; }

private:
    bool choose(std::string_view coding);
    bool refuse(std::string text);
    void fail(DecodeError error, std::string text);
    void give(std::span<const char> piece, BodySink& sink);
    void feed_codec(std::span<const char> data, BodySink& sink);

    // Made when first needed, then kept.
    std::array<std::unique_ptr<Codec>, static_cast<std::size_t>(ContentCoding::count)> codecs_;
    Codec* codec_ = nullptr;  // null: identity
    std::string_view encoding_ = "identity";
    DecodeState state_ = DecodeState::more;
    DecodeError error_ = DecodeError::none;
    bool any_input_ = false;
    bool pending_ = false;
    std::string left_;  // input for resume(); the codec may hold output besides
    std::uint64_t max_body_ = 0;
    std::uint64_t decoded_ = 0;
    std::string error_text_;
};

}  // namespace sonde::probes::wire

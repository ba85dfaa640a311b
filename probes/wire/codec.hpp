// One coded stream undone, bytes in, bytes out. Owns neither limits nor sinks (body_decoder does).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace sonde::probes::wire {

/// RFC 9110 section 8.4.1, RFC 7932 (br) and RFC 8878 (zstd).
enum class ContentCoding : std::uint8_t { gzip, deflate, brotli, zstd, count };

/// As Content-Encoding names it: "br".
[[nodiscard]] std::string_view name(ContentCoding coding);

/// The coding of a name in lower case ("x-gzip" is gzip too); nothing when we do not speak it.
[[nodiscard]] std::optional<ContentCoding> content_coding(std::string_view name);

class Codec {
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

    /// Begins another stream and keeps the memory, where the library can.
    virtual void reset() = 0;

    /// Whether its memory is little enough to wait for another stream.
    [[nodiscard]] virtual bool is_worth_keeping() const = 0;

    /// Takes and makes what it can. Called again, with what is left, until it makes less than
    /// `out`.
    virtual Step step(std::span<const char> in, std::span<char> out) = 0;

    /// Whether the stream may end here.
    [[nodiscard]] virtual bool at_end() const = 0;
};

[[nodiscard]] std::unique_ptr<Codec> make_codec(ContentCoding coding);

}  // namespace sonde::probes::wire

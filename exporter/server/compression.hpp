// Content codings of answers: choosing one by Accept-Encoding, and body sources that compress.
// Constant memory: one piece of the inner source and the codec's own state.
#pragma once

#include "exporter/server/body_source.hpp"
#include "exporter/server/server.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace sonde::exporter {

enum class ContentCoding : std::uint8_t { identity, gzip, zstd };

[[nodiscard]] std::string_view name(ContentCoding coding);

/// By an Accept-Encoding header (RFC 9110 section 12.5.3, q-values honoured): the coding with the
/// highest weight, zstd before gzip before identity where they are equal. Identity when nothing
/// that is accepted can be made.
[[nodiscard]] ContentCoding negotiate_coding(std::string_view accept_encoding);

/// What `inner` gives, compressed at the fastest level. `coding` is not identity. next() throws
/// std::runtime_error when the codec fails.
[[nodiscard]] std::unique_ptr<BodySource> make_compressor(ContentCoding coding,
                                                          std::unique_ptr<BodySource> inner);

/// Compresses the answer when the client accepts it and it is not too small to gain by it; sets
/// Vary and Content-Encoding. Draws the first piece of a streamed body, so it throws what the
/// source throws.
void compress_response(HttpResponse& response, std::string_view accept_encoding);

}  // namespace sonde::exporter

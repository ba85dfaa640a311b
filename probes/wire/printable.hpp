// A peer's bytes made fit for one line of text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sonde::probes::wire {

/// The first `limit` bytes; control characters, quotes, backslashes and bytes over 0x7e as \xNN.
[[nodiscard]] inline std::string printable(std::string_view bytes, std::size_t limit = 16) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes.substr(0, limit)) {
        const auto value = static_cast<unsigned char>(byte);
        if (value < 0x20 || value >= 0x7f || byte == '"' || byte == '\\') {
            text += "\\x";
            text += digits[value >> 4];
            text += digits[value & 15];
        } else {
            text += byte;
        }
    }
    return text;
}

}  // namespace sonde::probes::wire

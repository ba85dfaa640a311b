// Escaping of JSON strings (RFC 8259 section 7) and repair of broken UTF-8 (Unicode 15, table 3-7).
#include "exporter/web/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace sonde::exporter {

namespace {

void append_escape(std::string& out, unsigned code) {
    static constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out += digits[(code >> shift) & 0xF];
    }
}

/// The length of the well-formed UTF-8 sequence that `text` begins with; 0: it is ill-formed.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [text](std::size_t index) {
        return index < text.size() ? static_cast<std::uint8_t>(text[index]) : std::uint8_t{0};
    };
    const auto continues = [&](std::size_t index, unsigned low = 0x80, unsigned high = 0xBF) {
        return byte(index) >= low && byte(index) <= high;
    };
    const auto lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return continues(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        // No overlong forms, no surrogates.
        const bool second = continues(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
        return second && continues(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool second = continues(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
        return second && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

void append_ascii(std::string& out, char letter) {
    switch (letter) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '<':
        case '>':
        case '&':
        case '\x7f':
            append_escape(out, static_cast<unsigned char>(letter));
            break;
        default:
            if (static_cast<unsigned char>(letter) < 0x20) {
                append_escape(out, static_cast<unsigned char>(letter));
            } else {
                out += letter;
            }
    }
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto length = sequence_length(text);
        const auto sequence = text.substr(0, length);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (length == 1) {
            append_ascii(out, text.front());
        } else if (sequence == "\xE2\x80\xA8") {
            append_escape(out, 0x2028);
        } else if (sequence == "\xE2\x80\xA9") {
            append_escape(out, 0x2029);
        } else {
            out += sequence;
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

void append_json(std::string& out, double number) {
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    std::array<char, 32> digits{};
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), result.ptr);
}

}  // namespace sonde::exporter

// Escaping of JSON strings (RFC 8259 section 7).
#include "exporter/web/json.hpp"

#include "exporter/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace sonde::exporter {

namespace {

void append_escape(std::string& out, unsigned code) {
    static constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out += digits[(code >> shift) & 0xF];
    }
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
        const auto length = utf8_length(text);
        const auto sequence = text.substr(0, length);
        if (length == 0) {
            out += replacement_character;
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

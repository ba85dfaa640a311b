// Counting, checking and writing UTF-8.
#include "probes/wire/cel/utf8.hpp"

#include <algorithm>

namespace sonde::probes::wire::cel {

namespace {

bool continues(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

/// Size of the character that begins `bytes`; 0: none does.
std::size_t character_size(std::string_view bytes) {
    const auto lead = static_cast<unsigned char>(bytes[0]);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() < size ||
        !std::all_of(bytes.begin() + 1, bytes.begin() + size, continues)) {
        return 0;
    }
    // Overlong forms, surrogates and what lies beyond the last plane show in the second byte.
    const auto second = static_cast<unsigned char>(bytes[1]);
    const bool good = (lead != 0xe0 || second >= 0xa0) && (lead != 0xed || second < 0xa0) &&
                      (lead != 0xf0 || second >= 0x90) && (lead != 0xf4 || second < 0x90);
    return good ? size : 0;
}

}  // namespace

std::size_t count_code_points(std::string_view text) {
    return text.size() -
           static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
}

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = character_size(bytes);
        if (size == 0) {
            return false;
        }
        bytes.remove_prefix(size);
    }
    return true;
}

bool append_code_point(std::string& text, std::uint32_t code_point) {
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) {
        return false;
    }
    const auto tail = [&text, code_point](unsigned shift) {
        text += static_cast<char>(0x80U | ((code_point >> shift) & 0x3fU));
    };
    if (code_point < 0x80) {
        text += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        text += static_cast<char>(0xc0U | (code_point >> 6U));
        tail(0);
    } else if (code_point < 0x10000) {
        text += static_cast<char>(0xe0U | (code_point >> 12U));
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xf0U | (code_point >> 18U));
        tail(12);
        tail(6);
        tail(0);
    }
    return true;
}

}  // namespace sonde::probes::wire::cel

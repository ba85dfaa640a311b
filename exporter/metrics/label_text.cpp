#include "exporter/metrics/label_text.hpp"

#include "exporter/utf8.hpp"
#include "probes/measurement.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace sonde::exporter {

namespace {

// Bytes that cannot be copied as they are: the escaped ones, NUL, and all that is not ASCII.
constexpr std::array<bool, 256> is_special = [] {
    std::array<bool, 256> table{};
    for (std::size_t byte = 0x80; byte < table.size(); ++byte) {
        table[byte] = true;
    }
    table['\0'] = table['\\'] = table['"'] = table['\n'] = true;
    return table;
}();

// Appends the special character at the front of `text`; returns how many bytes it took.
std::size_t append_special(std::string& out, std::string_view text) {
    switch (text.front()) {
        case '\\':
            out += "\\\\";
            return 1;
        case '"':
            out += "\\\"";
            return 1;
        case '\n':
            out += "\\n";
            return 1;
        case '\0':
            out += replacement_character;
            return 1;
        default:
            break;
    }
    const std::size_t length = utf8_length(text);
    if (length == 0) {
        out += replacement_character;
        return 1;
    }
    out += text.substr(0, length);
    return length;
}

// Reads the quoted value at `text[at]`, just after the opening quote; leaves `at` after the closing
// one.
std::string unescape(std::string_view text, std::size_t& at) {
    std::string value;
    while (at < text.size() && text[at] != '"') {
        if (text[at] == '\\' && at + 1 < text.size()) {
            ++at;
            value += text[at] == 'n' ? '\n' : text[at];
        } else {
            value += text[at];
        }
        ++at;
    }
    ++at;
    return value;
}

}  // namespace

void append_escaped(std::string& out, std::string_view raw) {
    std::size_t copied = 0;
    std::size_t at = 0;
    while (at < raw.size()) {
        if (!is_special[static_cast<unsigned char>(raw[at])]) {
            ++at;
            continue;
        }
        out += raw.substr(copied, at - copied);
        at += append_special(out, raw.substr(at));
        copied = at;
    }
    out += raw.substr(copied);
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
    out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value);
    out += '"';
}

std::string render_target_labels(const Job& job) {
    std::string text;
    append_label(text, "target", job.target.name);
    if (job.labels) {
        for (const auto& [name, value] : *job.labels) {
            append_label(text, name, value);
        }
    }
    text.erase(0, 1);
    return text;
}

std::string render_info_labels(const Job& job) {
    const auto& names = probes::info(probes::Family::target_info).labels;
    std::string text;
    append_label(text, names[0], job.shown_url.empty() ? job.target.url.show() : job.shown_url);
    append_label(text, names[1], job.kind);
    append_label(text, names[2], job.module ? *job.module : std::string_view{});
    return text;
}

Labels parse_labels(std::string_view text) {
    Labels labels;
    std::size_t at = 0;
    while (at < text.size()) {
        at += text[at] == ',' ? 1U : 0U;
        const std::size_t equals = text.find('=', at);
        if (equals == std::string_view::npos) {
            break;
        }
        std::string name{text.substr(at, equals - at)};
        at = equals + 2;
        labels.emplace_back(std::move(name), unescape(text, at));
    }
    return labels;
}

std::string canonical_number(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    // Go's %g with the shortest digits, from which the format's examples are taken: an exponent
    // below -4 or from 6 on.
    const double magnitude = std::abs(value);
    const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e6);
    std::array<char, 32> buffer{};
    const auto end =
        std::to_chars(buffer.data(),
                      buffer.data() + buffer.size(),
                      value,
                      exponent ? std::chars_format::scientific : std::chars_format::fixed)
            .ptr;
    std::string text{buffer.data(), end};
    if (!exponent && text.find('.') == std::string::npos) {
        text += ".0";
    }
    return text;
}

}  // namespace sonde::exporter

#include "exporter/web/html.hpp"

#include "exporter/utf8.hpp"

namespace sonde::exporter {

Html& Html::text(std::string_view words) {
    for (const char c : repaired_utf8(words)) {
        switch (c) {
            case '&':
                out_ += "&amp;";
                break;
            case '<':
                out_ += "&lt;";
                break;
            case '>':
                out_ += "&gt;";
                break;
            case '"':
                out_ += "&quot;";
                break;
            case '\'':
                out_ += "&#39;";
                break;
            default:
                if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') ||
                    c == '\x7f') {
                    out_ += replacement_character;
                } else {
                    out_ += c;
                }
        }
    }
    return *this;
}

Html& Html::element(std::string_view tag, std::string_view words, std::string_view classes) {
    markup("<").markup(tag);
    if (!classes.empty()) {
        markup(" class=\"").markup(classes).markup("\"");
    }
    return markup(">").text(words).markup("</").markup(tag).markup(">");
}

Html& Html::cell(std::string_view words, std::string_view classes) {
    return element("td", words, classes);
}

Html& Html::fact(std::string_view name, std::string_view value, std::string_view classes) {
    return element("dt", name, {}).element("dd", value, classes).markup("\n");
}

}  // namespace sonde::exporter

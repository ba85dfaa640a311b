// HTML from untrusted text. Owns escaping only; what is markup is said by the caller.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sonde::exporter {

/// A page under construction: literals are markup, everything else goes through text().
class Html {
public:
    Html& markup(std::string_view literal) {
        out_ += literal;
        return *this;
    }

    /// Inert as an element's content and in a quoted attribute; valid UTF-8 without control
    /// characters.
    Html& text(std::string_view words);

    /// <td class="..."> with text.
    Html& cell(std::string_view words, std::string_view classes = {});
    /// <dt> and <dd> of a <dl>.
    Html& fact(std::string_view name, std::string_view value, std::string_view classes = {});

    [[nodiscard]] std::string take() && { return std::move(out_); }

private:
    Html& element(std::string_view tag, std::string_view words, std::string_view classes);

    std::string out_;
};

}  // namespace sonde::exporter

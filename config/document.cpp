// Parsing with toml++ and the few raw looks at a document that need no Table.
#include "config/document.hpp"

#include "config/table_state.hpp"

#include <algorithm>
#include <utility>

namespace sonde::config {

namespace {

/// Behind the last quote of the string that begins at `at`, or where it breaks off.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const std::string fence(3, quote);
    const bool multi_line = text.substr(at).starts_with(fence);
    for (std::size_t i = at + (multi_line ? 3 : 1); i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
        } else if (multi_line && text.substr(i).starts_with(fence)) {
            // Up to two more quotes are the string's last characters.
            const std::string_view end = text.substr(i, fence.size() + 2);
            return i + std::min(end.find_first_not_of(quote), end.size());
        } else if (!multi_line && (text[i] == quote || text[i] == '\n')) {
            return text[i] == quote ? i + 1 : i;
        }
    }
    return text.size();
}

/// Behind the string or the comment at `at`, or the one character.
std::size_t end_of_token(std::string_view text, std::size_t at) {
    if (text[at] == '"' || text[at] == '\'') {
        return end_of_string(text, at);
    }
    return text[at] == '#' ? std::min(text.find('\n', at), text.size()) : at + 1;
}

/// toml++ 3.3 limits the nesting of values but not the parts of a dotted key, and its recursive
/// destructors then run out of stack (a key of 50,000 parts ended the program). Returns the line of
/// such a key, or 0.
std::uint32_t line_of_endless_key(std::string_view text) {
    constexpr int most_parts = 1000;
    constexpr std::string_view ends_of_keys = "\n=,[]{}";
    std::uint32_t line = 1;
    int dots = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view token = text.substr(at, end_of_token(text, at) - at);
        if (token == "." && ++dots > most_parts) {
            return line;
        }
        if (ends_of_keys.find(token.front()) != std::string_view::npos) {
            dots = 0;
        }
        line += static_cast<std::uint32_t>(std::count(token.begin(), token.end(), '\n'));
        at += token.size();
    }
    return 0;
}

}  // namespace

struct Document::Impl {
    toml::table table;
    Source source;
};

std::optional<Document> Document::parse(std::string_view text,
                                        Source source,
                                        Diagnostics& diagnostics) {
    if (const std::uint32_t line = line_of_endless_key(text); line != 0) {
        diagnostics.add(
            {std::move(source.label), line, "", "a dotted key of more than 1000 parts"});
        return std::nullopt;
    }
    try {
        // Without a source path: toml++ would keep a counted reference to it in every node.
        auto impl = std::make_unique<Impl>(Impl{toml::parse(text), std::move(source)});
        return Document{std::move(impl)};
    } catch (const toml::parse_error& error) {
        diagnostics.add({std::move(source.label),
                         error.source().begin.line,
                         "",
                         "not valid TOML: " + std::string{error.description()}});
        return std::nullopt;
    }
}

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Layer Document::root() const {
    return {&impl_->table, &impl_->source, "", false};
}

const Source& Document::source() const {
    return impl_->source;
}

std::optional<Document> Document::take(std::string_view key) {
    toml::table* table = impl_->table.get_as<toml::table>(key);
    if (table == nullptr) {
        return std::nullopt;
    }
    // Moving keeps the positions, which copying a node of toml++ drops.
    auto impl = std::make_unique<Impl>(Impl{std::move(*table), impl_->source});
    return Document{std::move(impl)};
}

std::vector<Member> members(const Layer& layer) {
    std::vector<Member> out;
    if (layer.table != nullptr) {
        for (const auto& [key, node] : *layer.table) {
            out.push_back({key.str(), key.source().begin.line, node.as_table()});
        }
    }
    return out;
}

std::optional<std::vector<Member>> elements(const Layer& layer, std::string_view key) {
    const toml::array* array =
        layer.table == nullptr ? nullptr : layer.table->get_as<toml::array>(key);
    if (array == nullptr) {
        return std::nullopt;
    }
    std::vector<Member> out;
    out.reserve(array->size());
    for (const toml::node& element : *array) {
        out.push_back({{}, line_of(element), element.as_table()});
    }
    return out;
}

std::optional<std::string_view> plain_string(const Layer& layer, std::string_view key) {
    const auto* string = layer.table == nullptr ? nullptr : layer.table->get_as<std::string>(key);
    return string == nullptr ? std::nullopt : std::optional<std::string_view>{string->get()};
}

bool removes(const Layer& layer, std::string_view key) {
    const toml::node* node = layer.table == nullptr ? nullptr : layer.table->get(key);
    return node != nullptr && is_false(*node);
}

std::uint32_t line_in(const Layer& layer, std::string_view key) {
    if (layer.table == nullptr) {
        return 0;
    }
    const toml::node* node = layer.table->get(key);
    return line_of(node == nullptr ? *layer.table : *node);
}

std::string canonical(const Layer& layer) {
    std::string out;
    if (layer.table != nullptr) {
        append_canonical(*layer.table, out);
    }
    return out;
}

}  // namespace sonde::config

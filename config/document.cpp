// Parsing with toml++ and the few raw looks at a document that need no Table.
#include "config/document.hpp"

#include "config/table_state.hpp"

#include <algorithm>
#include <utility>

namespace sonde::config {

namespace {

/// toml++ 3.3 limits the nesting of values but not the parts of a dotted key, and its recursive
/// destructors then run out of stack (a key of 50,000 parts ended the program). Returns the line of
/// such a key, or 0.
std::uint32_t line_of_endless_key(std::string_view text) {
    constexpr int most_parts = 1000;
    std::uint32_t line = 1;
    int dots = 0;
    for (const char c : text) {
        if (c == '.') {
            if (++dots > most_parts) {
                return line;
            }
        } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' ||
                   c == '}' || c == '#') {
            dots = 0;
            line += c == '\n' ? 1U : 0U;
        }
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

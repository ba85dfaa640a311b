// Small helpers over toml++ nodes: positions, names of types, dotted keys, the canonical form.
#include "config/table_state.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

namespace sonde::config {

std::uint32_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

std::string_view describe(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "a list";
        case toml::node_type::string:
            return "a string";
        case toml::node_type::integer:
            return "an integer";
        case toml::node_type::floating_point:
            return "a number";
        case toml::node_type::boolean:
            return "a boolean";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time:
            return "a date or time";
        case toml::node_type::none:
            break;
    }
    return "nothing";
}

std::string number_text(double value) {
    std::array<char, 32> digits{};
    return {digits.begin(), std::to_chars(digits.begin(), digits.end(), value).ptr};
}

std::string not_a(std::string_view wanted, const toml::node& node) {
    return "must be " + std::string{wanted} + ", not " + std::string{describe(node)};
}

/// A table where a string is wanted is most often an attempt to use a secret.
std::string not_a_string(const toml::node& node) {
    return node.is_table() ? "must be a plain string: a secret cannot be used here"
                           : not_a("a string", node);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            static constexpr std::string_view digits = "0123456789ABCDEF";
            out += "\\u00";
            out += digits[static_cast<unsigned char>(c) >> 4U];
            out += digits[static_cast<unsigned char>(c) & 15U];
        } else {
            out += c;
        }
    }
    out += '"';
    return out;
}

std::string dotted(std::string_view path, std::string_view key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
    std::string out{path};
    if (!out.empty()) {
        out += '.';
    }
    return out += bare ? std::string{key} : quoted(key);
}

std::string element_path(std::string_view path, std::size_t index) {
    return std::string{path} + '[' + std::to_string(index) + ']';
}

bool is_false(const toml::node& node) {
    const auto* boolean = node.as_boolean();
    return boolean != nullptr && !boolean->get();
}

void append_sized(std::string_view text, std::string& out) {
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

void append_canonical(const toml::node& node, std::string& out) {
    if (const toml::table* table = node.as_table()) {
        out += '{';
        for (const auto& [key, value] : *table) {
            append_sized(key.str(), out);
            append_canonical(value, out);
        }
        out += '}';
    } else if (const toml::array* array = node.as_array()) {
        out += '[';
        for (const toml::node& element : *array) {
            append_canonical(element, out);
        }
        out += ']';
    } else if (const auto* string = node.as_string()) {
        out += 's';
        append_sized(string->get(), out);
    } else if (const auto* integer = node.as_integer()) {
        out += 'i';
        append_sized(std::to_string(integer->get()), out);
    } else if (const auto* number = node.as_floating_point()) {
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.begin(), digits.end(), number->get()).ptr;
        out += 'f';
        append_sized({digits.begin(), end}, out);
    } else if (const auto* boolean = node.as_boolean()) {
        out += boolean->get() ? 't' : 'n';
    } else {
        std::ostringstream text;
        node.visit([&](const auto& value) { text << value; });
        out += 'd';
        append_sized(text.str(), out);
    }
}

TextResult read_text(const toml::node& node, const Source& source, Inputs* inputs) {
    if (const auto* string = node.as_string()) {
        return {Text::plain(string->get()), {}};
    }
    static constexpr std::string_view forms = R"(a string, { file = "path" } or { env = "NAME" })";
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return {std::nullopt,
                "must be " + std::string{forms} + ", not " + std::string{describe(node)}};
    }
    const auto* file = table->get_as<std::string>("file");
    const auto* env = table->get_as<std::string>("env");
    if (table->size() != 1 || (file == nullptr && env == nullptr)) {
        return {std::nullopt,
                "a secret must be { file = \"path\" } or { env = \"NAME\" } and nothing else"};
    }
    Inputs own;
    Inputs& from = inputs != nullptr ? *inputs : own;
    if (env != nullptr) {
        std::optional<std::string> value = from.variable(env->get());
        if (!value) {
            return {std::nullopt, "the environment variable " + quoted(env->get()) + " is not set"};
        }
        return {Text::secret(*std::move(value)), {}};
    }
    const std::string path = absolute_path(source.directory, file->get());
    const FileContent& content = from.file(path);
    if (!content.bytes) {
        return {std::nullopt, "cannot read the secret file " + quoted(path) + ": " + content.error};
    }
    std::string_view value = *content.bytes;
    if (value.ends_with('\n')) {
        value.remove_suffix(value.ends_with("\r\n") ? 2 : 1);
    }
    return {Text::secret(std::string{value}), {}};
}

}  // namespace sonde::config

// One TOML document: its text parsed by toml++, with positions. Owns the DOM; what it means is read
// through Table.
#pragma once

#include "config/diagnostics.hpp"
#include "config/table.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::config {

class Document {
public:
    /// Parses `text`; a syntax error (toml++ finds one) goes to `diagnostics` and nothing is
    /// returned.
    static std::optional<Document> parse(std::string_view text,
                                         Source source,
                                         Diagnostics& diagnostics);

    ~Document();
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;

    /// The whole document as a layer that reports its keys without a prefix. Points into the
    /// document, which may be moved but must live.
    [[nodiscard]] Layer root() const;
    [[nodiscard]] const Source& source() const;

    /// Moves the table under `key` out, so that it may outlive the rest; nothing when there is no
    /// such table.
    std::optional<Document> take(std::string_view key);

private:
    struct Impl;
    explicit Document(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// One key of a table, or one element of a list.
struct Member {
    std::string_view key;                // of an element: empty
    std::uint32_t line = 0;              // of the key, or of the element
    const toml::table* table = nullptr;  // null: the value is not a table
};

/// The keys of `layer`, in order of their names.
[[nodiscard]] std::vector<Member> members(const Layer& layer);

/// The elements of the list of tables under `key`; nothing when the key is absent or holds anything
/// but a list.
[[nodiscard]] std::optional<std::vector<Member>> elements(const Layer& layer, std::string_view key);

/// The string under `key` as it is written, before any check; nothing when there is none.
[[nodiscard]] std::optional<std::string_view> plain_string(const Layer& layer,
                                                           std::string_view key);

/// True when `key` is there with the value false, which removes what would be inherited.
[[nodiscard]] bool removes(const Layer& layer, std::string_view key);

/// The line of `key`'s value; the layer's own when it is absent.
[[nodiscard]] std::uint32_t line_in(const Layer& layer, std::string_view key);

/// Equal for equal tables (as written: a secret's reference, not its value) and for no others.
[[nodiscard]] std::string canonical(const Layer& layer);

/// `path.key`, the key quoted where TOML would want it quoted.
[[nodiscard]] std::string dotted(std::string_view path, std::string_view key);

/// `text` as a TOML basic string.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace sonde::config

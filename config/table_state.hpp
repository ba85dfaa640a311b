// What Table and Value share inside config/: the levels of a merge, the keys known so far, and
// toml++ helpers. The only header here that shows toml++; nothing outside config/ includes it.
#pragma once

#include "config/document.hpp"
#include "config/table.hpp"

#include <toml++/toml.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::config {

/// A Layer in a table that may be below it. `table` is null when this level does not have the
/// table; path and line then say where it would be.
struct Level {
    const toml::table* table = nullptr;
    const Source* source = nullptr;
    std::string path;
    std::uint32_t line = 0;
    bool checked = false;
};

/// The keys that were asked for. Shared with sub-tables, which may be gone when unknown keys are
/// reported.
class Known {
public:
    struct Entry {
        std::string name;
        bool whole = false;            // its value was read, not only some keys below it
        bool offered = true;           // may be what was meant by an unknown key
        std::shared_ptr<Known> below;  // null: nothing below it was asked for
    };

    void add_whole(std::string_view name) { at(name).whole = true; }

    /// Counts it as known, but does not offer it.
    void hide(std::string_view name);

    std::shared_ptr<Known> below(std::string_view name);
    void merge(const Known& other);
    [[nodiscard]] const Entry* find(std::string_view name) const;
    /// Of those that are offered.
    [[nodiscard]] std::vector<std::string_view> names() const;

private:
    Entry& at(std::string_view name);
    std::vector<Entry> entries_;
};

struct Found {
    const toml::node* node = nullptr;
    std::size_t level = 0;

    explicit operator bool() const { return node != nullptr; }
};

struct Table::State {
    Context* context = nullptr;
    std::vector<Level> levels;
    std::shared_ptr<Known> known = std::make_shared<Known>();
    std::string doc_path;  // below the table that is being documented

    /// The value of `key` in the most specific level that has it; nothing when that is `false` and
    /// `false` is no value of its own there. Notes that the key is known.
    Found find(std::string_view key, bool false_is_a_value = false);
    [[nodiscard]] Found peek(std::string_view key, bool false_is_a_value) const;

    /// Reports `message` at a value found under `key`.
    void wrong(const Found& found, std::string_view key, std::string message) const;
    /// Documents the key when documenting; true then.
    bool document(const Key& key, std::string type, std::string default_value) const;
    void trace(std::string_view key, std::string_view value) const;
};

[[nodiscard]] std::uint32_t line_of(const toml::node& node);

/// "an integer", "a table"...: for "must be ..., not ...".
[[nodiscard]] std::string_view describe(const toml::node& node);

/// "must be WANTED, not an integer".
[[nodiscard]] std::string not_a(std::string_view wanted, const toml::node& node);
[[nodiscard]] std::string not_a_string(const toml::node& node);

/// The shortest text that is read as the same number.
[[nodiscard]] std::string number_text(double value);

[[nodiscard]] std::string element_path(std::string_view path, std::size_t index);

[[nodiscard]] bool is_false(const toml::node& node);

/// Appends a form of `node` that is equal for equal values and for nothing else.
void append_canonical(const toml::node& node, std::string& out);
void append_sized(std::string_view text, std::string& out);

struct TextResult {
    std::optional<Text> text;
    std::string error;  // what is wrong, when there is no text
};

/// A string, `{ file = }` or `{ env = }`.
[[nodiscard]] TextResult read_text(const toml::node& node, const Source& source, Inputs* inputs);

}  // namespace sonde::config

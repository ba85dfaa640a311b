// A typed reader over layered TOML tables (target over module over defaults). Each read names a key
// once: the same call reads it, checks it, and documents it for docs/config.md.
// Owns merging, positions and the report of unknown keys; knows no key of its own.
#pragma once

#include "config/diagnostics.hpp"
#include "config/duration.hpp"
#include "config/inputs.hpp"
#include "config/secret.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace toml {
inline namespace v3 {
class node;
class table;
}  // namespace v3
}  // namespace toml

namespace sonde::config {

/// One TOML document that a layer comes from. `label` is the path as the user gave it.
struct Source {
    std::string label;
    std::string directory;  // relative paths in the document start here
};

/// One table of the merge. `path` is the dotted key under which its keys are reported ("defaults",
/// "modules.api", "target.shop").
struct Layer {
    const toml::table* table = nullptr;
    const Source* source = nullptr;
    std::string path;
    bool checked =
        false;  // its own errors are reported already: what is wrong in it counts as absent
};

/// What docs/config.md says of one key.
struct KeyDoc {
    std::string path;           // dotted, below the table that was documented
    std::string type;           // "duration", "string", "list of strings"...
    std::string default_value;  // as it would be written in TOML; empty: none
    std::string help;
};

/// A key of a table: its name and the one sentence about it that the reference shows.
struct Key {
    std::string_view name;
    std::string_view help;
};

/// How the names of a map's values are compared, between layers and within one.
enum class Names : std::uint8_t { exact, any_case };

class Value;

/// What readers share while a plan is loaded: where errors go, what is read from outside, and, when
/// documenting, the list of keys.
struct Context {
    Diagnostics* diagnostics = nullptr;
    Inputs* inputs = nullptr;             // may be null: files are then read anew each time
    std::vector<KeyDoc>* docs = nullptr;  // not null: document only, layers are empty
    /// The layers are a part of what will be a whole (a module on its own): errors at keys that
    /// they do not have are not reported.
    bool partial = false;
    /// Not null: everything that reading observes (values, defaults, secrets, contents of files) is
    /// appended in a canonical form: equal traces are equal settings. Holds secrets; never show it.
    std::string* trace = nullptr;
};

class Table {
public:
    /// `layers` from the most specific to the least; a key of an earlier layer wins, tables merge
    /// key by key, arrays replace, and `false` in an earlier layer removes an inherited table,
    /// list, string or number. What the layers point to outlives the table.
    Table(Context& context, std::vector<Layer> layers);
    ~Table();
    Table(Table&&) noexcept;
    Table& operator=(Table&&) noexcept;

    // Each of these leaves `value` as it is when the key is absent and documents that value as the
    // default. They return whether the key was present and right; what is wrong is in the
    // diagnostics with file, line and key.
    bool read(Key key, bool& value);
    bool read(Key key, std::int64_t& value, std::int64_t least, std::int64_t most);
    bool read(Key key, double& value, double least, double most);
    bool read(Key key, std::string& value);  // a secret is refused here
    bool read(Key key, Text& value);         // may be { file = } or { env = }
    bool read(Key key, Duration& value, Duration least, Duration most);
    bool read(Key key, Bytes& value, Bytes least, Bytes most);
    bool read(Key key, std::vector<std::string>& value);  // a single string counts as a list of one
    bool read(Key key, std::vector<double>& value);
    bool read(Key key, std::map<std::string, std::string>& value);
    /// With Names::any_case a name is spelled as in the most specific layer that has it; two in one
    /// table that differ only in case are an error.
    bool read(Key key, std::map<std::string, Text>& value, Names names = Names::exact);

    /// One of `words`; the error lists them and says which was meant.
    bool read_word(Key key, std::string& value, std::span<const std::string_view> words);

    /// The path of a file, made absolute against the directory of the document that names it. The
    /// file is read now: `content` gets its bytes, an unreadable file is an error at this key. The
    /// path may be a secret, the bytes are none.
    bool read_file(Key key, Text& path, std::string& content);

    /// The environment's value, observed like that of a key.
    std::optional<std::string> environment(const std::string& name);

    /// The table under `key`, merged over the layers (empty when absent).
    Table sub(Key key);

    /// Calls `each` for every element of the list under `key` (a single value counts as a list of
    /// one), in order; the list of the most specific layer only. `type` documents an element.
    void each(Key key, std::string_view type, const std::function<void(Value)>& each);

    /// Counts `key` as known without reading it.
    void allow(std::string_view key);

    /// The same for a key that does not belong here, which another error says: no report of an
    /// unknown key names it as one that is known.
    void tolerate(std::string_view key);

    /// Counts the keys that `other` knows (and those of its sub-tables) as known here too.
    void allow_keys_of(const Table& other);

    /// The keys of the most specific layer that nothing has read, in a canonical form with their
    /// raw values (a secret's reference, not its value); empty when there are none.
    [[nodiscard]] std::string unread() const;

    /// Reports every key of the most specific layer (and of its sub-tables) that nothing has read.
    /// Call it last. Less specific layers are checked where they are loaded.
    void report_unknown();

    /// Adds an error at the place of `key` (or of the table itself when it is absent or empty).
    void error(std::string_view key, std::string message);

    /// Adds an error at `member` of the table under `key` (a header's name, a label's).
    void error_in(std::string_view key, std::string_view member, std::string message);

    /// The index of the layer that `key` comes from; nothing when no layer has it or it is `false`
    /// there.
    [[nodiscard]] std::optional<std::size_t> origin(std::string_view key) const;

    /// What a reader made of the layers that keys come from (which of two won): without it settings
    /// with equal values would count as equal.
    void conclude(std::string_view key, std::string_view what);

    /// Whether the value of `key` is a list (false when it is absent).
    [[nodiscard]] bool is_list(std::string_view key) const;

    /// True while keys are only being documented.
    [[nodiscard]] bool documenting() const;

    struct State;  // only for the reader's own files

private:
    explicit Table(std::unique_ptr<State> state);
    friend class Value;
    std::unique_ptr<State> state_;
};

/// An element of a list that may hold values of several types.
class Value {
public:
    Value(Context& context,
          const toml::node* node,
          const Source* source,
          std::string path,
          bool checked);

    [[nodiscard]] std::optional<std::string> string()
        const;  // also refuses secrets silently: nothing
    [[nodiscard]] std::optional<std::int64_t> integer() const;
    [[nodiscard]] std::optional<Table> table() const;  // with this one layer
    void error(std::string message) const;             // at this element

private:
    Context* context_;
    const toml::node* node_;
    const Source* source_;
    std::string path_;
    bool checked_;
};

}  // namespace sonde::config

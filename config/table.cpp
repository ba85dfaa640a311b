// Table: the merge over layers, positions of errors, known and unknown keys. Typed reads are in
// table_read.cpp.
#include "config/table.hpp"

#include "config/table_state.hpp"

#include <algorithm>
#include <utility>

namespace sonde::config {

Known::Entry& Known::at(std::string_view name) {
    const auto found = std::find_if(
        entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    if (found != entries_.end()) {
        return *found;
    }
    entries_.push_back({.name = std::string{name}, .below = nullptr});
    return entries_.back();
}

void Known::hide(std::string_view name) {
    Entry& entry = at(name);
    entry.whole = true;
    entry.offered = false;
}

std::shared_ptr<Known> Known::below(std::string_view name) {
    Entry& entry = at(name);
    if (!entry.below) {
        entry.below = std::make_shared<Known>();
    }
    return entry.below;
}

void Known::merge(const Known& other) {
    for (const Entry& entry : other.entries_) {
        Entry& mine = at(entry.name);
        mine.whole |= entry.whole;
        mine.offered &= entry.offered;
        if (entry.below) {
            below(entry.name)->merge(*entry.below);
        }
    }
}

const Known::Entry* Known::find(std::string_view name) const {
    const auto found = std::find_if(
        entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    return found == entries_.end() ? nullptr : &*found;
}

std::vector<std::string_view> Known::names() const {
    std::vector<std::string_view> out;
    for (const Entry& entry : entries_) {
        if (entry.offered) {
            out.emplace_back(entry.name);
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

Found Table::State::peek(std::string_view key, bool false_is_a_value) const {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const toml::node* node = levels[i].table == nullptr ? nullptr : levels[i].table->get(key);
        if (node != nullptr) {
            return !false_is_a_value && is_false(*node) ? Found{} : Found{node, i};
        }
    }
    return {};
}

Found Table::State::find(std::string_view key, bool false_is_a_value) {
    known->add_whole(key);
    return peek(key, false_is_a_value);
}

void Table::State::wrong(const Found& found, std::string_view key, std::string message) const {
    const Level& level = levels[found.level];
    if (level.checked || context->docs != nullptr || context->diagnostics == nullptr) {
        return;
    }
    context->diagnostics->add(
        {level.source->label, line_of(*found.node), dotted(level.path, key), std::move(message)});
}

bool Table::State::document(const Key& key, std::string type, std::string default_value) const {
    if (context->docs == nullptr) {
        return false;
    }
    context->docs->push_back({dotted(doc_path, key.name),
                              std::move(type),
                              std::move(default_value),
                              std::string{key.help}});
    return true;
}

void Table::State::trace(std::string_view key, std::string_view value) const {
    if (context->trace != nullptr) {
        append_sized(key, *context->trace);
        append_sized(value, *context->trace);
    }
}

Table::Table(Context& context, std::vector<Layer> layers) : state_(std::make_unique<State>()) {
    state_->context = &context;
    state_->levels.reserve(layers.size());
    for (Layer& layer : layers) {
        const std::uint32_t line = layer.table == nullptr ? 0 : line_of(*layer.table);
        state_->levels.push_back(
            {layer.table, layer.source, std::move(layer.path), line, layer.checked});
    }
}

Table::Table(std::unique_ptr<State> state) : state_(std::move(state)) {}

Table::~Table() = default;
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;

Table Table::sub(Key key) {
    auto state = std::make_unique<State>();
    state->context = state_->context;
    state->known = state_->known->below(key.name);
    state_->document(key, "table", "");
    state->doc_path = dotted(state_->doc_path, key.name);
    bool removed = false;
    bool complained = false;
    for (std::size_t i = 0; i < state_->levels.size(); ++i) {
        const Level& level = state_->levels[i];
        Level below{nullptr, level.source, dotted(level.path, key.name), level.line, level.checked};
        const toml::node* node =
            level.table == nullptr || removed ? nullptr : level.table->get(key.name);
        if (node != nullptr) {
            below.table = node->as_table();
            below.line = line_of(*node);
            removed = is_false(*node);
            if (below.table == nullptr && !removed && !complained) {
                state_->wrong(
                    {node, i}, key.name, "must be a table, not " + std::string{describe(*node)});
                complained = true;
            }
        }
        state->levels.push_back(std::move(below));
    }
    if (state_->context->trace != nullptr) {
        append_sized(key.name, *state_->context->trace);
        *state_->context->trace += '{';
    }
    return Table{std::move(state)};
}

void Table::each(Key key, std::string_view type, const std::function<void(Value)>& each) {
    if (state_->document(key, "list of " + std::string{type}, "")) {
        state_->known->add_whole(key.name);
        return;
    }
    const Found found = state_->find(key.name);
    std::string canonical;
    if (found && state_->context->trace != nullptr) {
        append_canonical(*found.node, canonical);
    }
    state_->trace(key.name, canonical);
    if (!found) {
        return;
    }
    const Level& level = state_->levels[found.level];
    const std::string path = dotted(level.path, key.name);
    if (const toml::array* array = found.node->as_array()) {
        std::size_t index = 0;
        for (const toml::node& element : *array) {
            each(Value{*state_->context,
                       &element,
                       level.source,
                       element_path(path, index),
                       level.checked});
            ++index;
        }
        return;
    }
    each(Value{*state_->context, found.node, level.source, path, level.checked});
}

void Table::allow(std::string_view key) {
    state_->known->add_whole(key);
}

void Table::tolerate(std::string_view key) {
    state_->known->hide(key);
}

void Table::allow_keys_of(const Table& other) {
    state_->known->merge(*other.state_->known);
}

std::string Table::unread() const {
    std::string out;
    if (state_->levels.empty() || state_->levels.front().table == nullptr) {
        return out;
    }
    for (const auto& [key, node] : *state_->levels.front().table) {
        if (state_->known->find(key.str()) == nullptr) {
            append_sized(key.str(), out);
            append_canonical(node, out);
        }
    }
    return out;
}

namespace {

std::string unknown_message(std::string_view key, const Known& known) {
    const std::vector<std::string_view> names = known.names();
    const std::string meant = did_you_mean(key, names);
    if (!meant.empty()) {
        return "unknown key, " + meant;
    }
    std::string out = "unknown key; known here:";
    for (const std::string_view name : names) {
        out += out.ends_with(':') ? " " : ", ";
        out += name;
    }
    return out;
}

void report_unknown_in(const toml::table& table,
                       const Known& known,
                       const Level& at,
                       Diagnostics& diagnostics) {
    for (const auto& [key, node] : table) {
        const Known::Entry* entry = known.find(key.str());
        std::string path = dotted(at.path, key.str());
        if (entry == nullptr) {
            diagnostics.add({at.source->label,
                             key.source().begin.line,
                             std::move(path),
                             unknown_message(key.str(), known)});
        } else if (!entry->whole && entry->below && node.is_table()) {
            const Level below{nullptr, at.source, std::move(path), 0, false};
            report_unknown_in(*node.as_table(), *entry->below, below, diagnostics);
        }
    }
}

}  // namespace

void Table::report_unknown() {
    if (documenting() || state_->context->diagnostics == nullptr || state_->levels.empty()) {
        return;
    }
    const Level& level = state_->levels.front();
    if (level.table != nullptr && !level.checked) {
        report_unknown_in(*level.table, *state_->known, level, *state_->context->diagnostics);
    }
}

void Table::error(std::string_view key, std::string message) {
    if (const Found found = key.empty() ? Found{} : state_->peek(key, true)) {
        state_->wrong(found, key, std::move(message));
        return;
    }
    const Context& context = *state_->context;
    if (documenting() || context.diagnostics == nullptr || state_->levels.empty() ||
        (context.partial && !key.empty())) {
        return;
    }
    // The first layer says where the whole belongs; one without a document is a placeholder.
    const auto with_source = [](const Level& level) {
        return level.source != nullptr;
    };
    const auto first = std::find_if(state_->levels.begin(), state_->levels.end(), with_source);
    if (first == state_->levels.end()) {
        return;
    }
    const Level& level = *first;
    if (!level.checked) {
        std::string path = key.empty() ? level.path : dotted(level.path, key);
        context.diagnostics->add(
            {level.source->label, level.line, std::move(path), std::move(message)});
    }
}

void Table::error_in(std::string_view key, std::string_view member, std::string message) {
    for (const Level& level : state_->levels) {
        const toml::node* node = level.table == nullptr ? nullptr : level.table->get(key);
        if (node == nullptr) {
            continue;
        }
        const toml::table* table = node->as_table();
        const toml::node* value = table == nullptr ? nullptr : table->get(member);
        if (value != nullptr && !level.checked && !documenting() &&
            state_->context->diagnostics != nullptr) {
            const std::string path = dotted(level.path, key);
            state_->context->diagnostics->add(
                {level.source->label, line_of(*value), dotted(path, member), std::move(message)});
        }
        if (value != nullptr || table == nullptr) {
            return;
        }
    }
}

std::optional<std::size_t> Table::origin(std::string_view key) const {
    const Found found = state_->peek(key, true);
    const bool present = found && !is_false(*found.node);
    // Whoever asks may do one thing with a key that is there and another without, whatever its
    // value.
    state_->trace(key, present ? "present" : "absent");
    return present ? std::optional{found.level} : std::nullopt;
}

void Table::conclude(std::string_view key, std::string_view what) {
    state_->trace(key, what);
}

bool Table::is_list(std::string_view key) const {
    const Found found = state_->peek(key, true);
    return found && found.node->is_array();
}

bool Table::documenting() const {
    return state_->context->docs != nullptr;
}

}  // namespace sonde::config

// Table: tables whose keys are the user's own (labels, headers), merged key by key.
#include "config/table_state.hpp"

#include <map>
#include <utility>

namespace sonde::config {

namespace {

/// The winning node of each key; nothing when no level has the table or one has something else.
std::optional<std::map<std::string, Found>> merged(Table::State& state, std::string_view key) {
    state.known->add_whole(key);
    std::map<std::string, Found> out;
    bool present = false;
    for (std::size_t i = state.levels.size(); i-- > 0;) {
        const toml::node* node =
            state.levels[i].table == nullptr ? nullptr : state.levels[i].table->get(key);
        if (node == nullptr) {
            continue;
        }
        if (is_false(*node)) {
            out.clear();
            present = false;
            continue;
        }
        const toml::table* table = node->as_table();
        if (table == nullptr) {
            state.wrong({node, i}, key, "must be a table, not " + std::string{describe(*node)});
            return std::nullopt;
        }
        present = true;
        for (const auto& [name, value] : *table) {
            if (is_false(value)) {
                out.erase(std::string{name.str()});
            } else {
                out.insert_or_assign(std::string{name.str()}, Found{&value, i});
            }
        }
    }
    return present ? std::optional{std::move(out)} : std::nullopt;
}

/// Reports at `member` of the table under `key`.
void wrong_in(const Table::State& state,
              const Found& found,
              std::string_view key,
              std::string_view member,
              std::string message) {
    const Level& level = state.levels[found.level];
    if (level.checked || state.context->diagnostics == nullptr) {
        return;
    }
    const std::string path = dotted(level.path, key);
    state.context->diagnostics->add(
        {level.source->label, line_of(*found.node), dotted(path, member), std::move(message)});
}

}  // namespace

bool Table::read(Key key, std::map<std::string, std::string>& value) {
    if (state_->document(key, "table of strings", "")) {
        return false;
    }
    bool right = false;
    if (const auto nodes = merged(*state_, key.name)) {
        right = true;
        std::map<std::string, std::string> items;
        for (const auto& [name, found] : *nodes) {
            if (const auto* string = found.node->as_string()) {
                items.emplace(name, string->get());
                continue;
            }
            right = false;
            wrong_in(*state_, found, key.name, name, not_a_string(*found.node));
        }
        if (right) {
            value = std::move(items);
        }
    }
    state_->trace(key.name, std::to_string(value.size()));
    for (const auto& [name, text] : value) {
        state_->trace(name, text);
    }
    return right;
}

bool Table::read(Key key, std::map<std::string, Text>& value) {
    if (state_->document(key, "table of strings or secrets", "")) {
        return false;
    }
    bool right = false;
    if (const auto nodes = merged(*state_, key.name)) {
        right = true;
        std::map<std::string, Text> items;
        for (const auto& [name, found] : *nodes) {
            TextResult result = read_text(
                *found.node, *state_->levels[found.level].source, state_->context->inputs);
            if (result.text) {
                items.emplace(name, *std::move(result.text));
            } else {
                right = false;
                wrong_in(*state_, found, key.name, name, std::move(result.error));
            }
        }
        if (right) {
            value = std::move(items);
        }
    }
    state_->trace(key.name, std::to_string(value.size()));
    for (const auto& [name, text] : value) {
        state_->trace(name, text.is_secret() ? "secret" : "plain");
        state_->trace(name, text.reveal());
    }
    return right;
}

}  // namespace sonde::config

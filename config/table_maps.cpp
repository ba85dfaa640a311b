// Table: tables whose keys are the user's own (labels, headers), merged key by key.
#include "config/table_state.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace sonde::config {

namespace {

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

struct Item {
    std::string name;  // as the most specific level spells it
    Found found;
};

/// By the name that is compared.
using Items = std::map<std::string, Item>;

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

void put(Items& items, const std::string& compared, Item item) {
    if (is_false(*item.found.node)) {
        items.erase(compared);
    } else {
        items.insert_or_assign(compared, std::move(item));
    }
}

/// Puts what the table of one level has over `items`; false when it has a name twice.
bool put_over(Items& items,
              const Table::State& state,
              const Found& found,
              std::string_view key,
              Names names) {
    bool right = true;
    std::map<std::string, std::string_view> seen;
    for (const auto& [name, value] : *found.node->as_table()) {
        Item item{std::string{name.str()}, {&value, found.level}};
        if (names == Names::exact) {
            put(items, std::string{name.str()}, std::move(item));
            continue;
        }
        const auto [first, fresh] = seen.emplace(lower(name.str()), name.str());
        if (fresh) {
            put(items, first->first, std::move(item));
            continue;
        }
        right = false;
        wrong_in(state,
                 item.found,
                 key,
                 item.name,
                 "is the same as " + quoted(first->second) + ", as case makes no difference");
    }
    return right;
}

/// The winning node of each name; nothing when no level has the table or one has something else.
/// `right`: that there are some and nothing is wrong with the names.
std::optional<Items> merged(Table::State& state, std::string_view key, Names names, bool& right) {
    state.known->add_whole(key);
    Items out;
    bool present = false;
    bool no_twins = true;
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
        if (!node->is_table()) {
            state.wrong({node, i}, key, "must be a table, not " + std::string{describe(*node)});
            return std::nullopt;
        }
        present = true;
        no_twins = put_over(out, state, {node, i}, key, names) && no_twins;
    }
    right = present && no_twins;
    return present ? std::optional{std::move(out)} : std::nullopt;
}

}  // namespace

bool Table::read(Key key, std::map<std::string, std::string>& value) {
    if (state_->document(key, "table of strings", "")) {
        return false;
    }
    bool right = false;
    if (const auto nodes = merged(*state_, key.name, Names::exact, right)) {
        std::map<std::string, std::string> items;
        for (const auto& [compared, item] : *nodes) {
            const auto& [name, found] = item;
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

bool Table::read(Key key, std::map<std::string, Text>& value, Names names) {
    if (state_->document(key, "table of strings or secrets", "")) {
        return false;
    }
    bool right = false;
    if (const auto nodes = merged(*state_, key.name, names, right)) {
        std::map<std::string, Text> items;
        for (const auto& [compared, item] : *nodes) {
            const auto& [name, found] = item;
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

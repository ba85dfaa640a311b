// Table: reads of lists whose elements are all of one type.
#include "config/table_state.hpp"

#include <utility>

namespace sonde::config {

namespace {

std::string list_text(const std::vector<std::string>& items) {
    std::string out = "[";
    for (const std::string& item : items) {
        out += (out.size() > 1 ? ", " : "") + quoted(item);
    }
    return out += ']';
}

}  // namespace

bool Table::read(Key key, std::vector<std::string>& value) {
    if (state_->document(key, "list of strings", list_text(value))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        right = true;
        std::vector<std::string> items;
        const auto add = [&](const toml::node& node, const std::string& where) {
            if (const auto* string = node.as_string()) {
                items.push_back(string->get());
            } else {
                state_->wrong({&node, found.level}, where, not_a_string(node));
                right = false;
            }
        };
        if (const toml::array* array = found.node->as_array()) {
            for (const toml::node& element : *array) {
                add(element, std::string{key.name});
            }
        } else {
            add(*found.node, std::string{key.name});
        }
        if (right) {
            value = std::move(items);
        }
    }
    state_->trace(key.name, list_text(value));
    return right;
}

bool Table::read(Key key, std::vector<double>& value) {
    std::string text = "[";
    const auto write = [&] {
        text = "[";
        for (const double number : value) {
            text += (text.size() > 1 ? ", " : "") + number_text(number);
        }
        text += ']';
    };
    write();
    if (state_->document(key, "list of numbers", text)) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        const toml::array* array = found.node->as_array();
        right = array != nullptr;
        if (array == nullptr) {
            state_->wrong(found, key.name, not_a("a list of numbers", *found.node));
        } else {
            std::vector<double> items;
            for (const toml::node& element : *array) {
                const std::optional<double> number =
                    element.is_number() ? element.value<double>() : std::optional<double>{};
                if (!number) {
                    state_->wrong(
                        {&element, found.level}, key.name, not_a("a list of numbers", element));
                    right = false;
                }
                items.push_back(number.value_or(0));
            }
            if (right) {
                value = std::move(items);
            }
        }
        write();
    }
    state_->trace(key.name, text);
    return right;
}

}  // namespace sonde::config

// Value: one element of a list that may hold values of several types.
#include "config/table_state.hpp"

#include <memory>
#include <utility>

namespace sonde::config {

Value::Value(
    Context& context, const toml::node* node, const Source* source, std::string path, bool checked)
    : context_(&context),
      node_(node),
      source_(source),
      path_(std::move(path)),
      checked_(checked) {}

std::optional<std::string> Value::string() const {
    const auto* string = node_->as_string();
    return string == nullptr ? std::nullopt : std::optional{string->get()};
}

std::optional<std::int64_t> Value::integer() const {
    const auto* integer = node_->as_integer();
    return integer == nullptr ? std::nullopt : std::optional{integer->get()};
}

std::optional<Table> Value::table() const {
    if (!node_->is_table()) {
        return std::nullopt;
    }
    return Table{*context_, {Layer{node_->as_table(), source_, path_, checked_}}};
}

void Value::error(std::string message) const {
    if (!checked_ && context_->diagnostics != nullptr) {
        context_->diagnostics->add({source_->label, line_of(*node_), path_, std::move(message)});
    }
}

}  // namespace sonde::config

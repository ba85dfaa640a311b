// Views of JSON, equality, order and lookup.
#include "probes/wire/cel/value.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace sonde::probes::wire::cel {

namespace {

std::string_view view_of(const boost::json::string& text) {
    return {text.data(), text.size()};
}

/// Bytes that one step compares or moves.
constexpr std::size_t bytes_of_step = 256;

std::partial_ordering compare_to_double(const Value& number, double other) {
    return as_double(number) <=> other;
}

std::partial_ordering compare_numbers(const Value& left, const Value& right) {
    if (const auto* value = right.get<double>()) {
        return compare_to_double(left, *value);
    }
    if (const auto* value = left.get<double>()) {
        return *value <=> as_double(right);
    }
    const auto* left_int = left.get<std::int64_t>();
    const auto* right_int = right.get<std::int64_t>();
    if (left_int != nullptr && right_int != nullptr) {
        return *left_int <=> *right_int;
    }
    if (left_int != nullptr) {
        return *left_int < 0
                   ? std::partial_ordering::less
                   : static_cast<std::uint64_t>(*left_int) <=> *right.get<std::uint64_t>();
    }
    if (right_int != nullptr) {
        return *right_int < 0
                   ? std::partial_ordering::greater
                   : *left.get<std::uint64_t>() <=> static_cast<std::uint64_t>(*right_int);
    }
    return *left.get<std::uint64_t>() <=> *right.get<std::uint64_t>();
}

bool equal_lists(const List& left, const List& right, Budget& budget) {
    const auto size = left.size();
    if (size != right.size()) {
        return false;
    }
    for (std::size_t index = 0; index < size; ++index) {
        if (!budget.step() || !equal(left.at(index), right.at(index), budget)) {
            return false;
        }
    }
    return true;
}

bool equal_maps(const Map& left, const Map& right, Budget& budget) {
    const auto size = left.size();
    if (size != right.size()) {
        return false;
    }
    for (std::size_t index = 0; index < size; ++index) {
        if (!budget.step()) {
            return false;
        }
        const auto found = right.find(left.key_at(index), budget);
        if (!found || !equal(left.value_at(index), *found, budget)) {
            return false;
        }
    }
    return true;
}

std::optional<std::partial_ordering> compare_text(std::string_view left,
                                                  std::string_view right,
                                                  Budget& budget) {
    if (!budget.step(std::min(left.size(), right.size()) / bytes_of_step)) {
        return std::partial_ordering::unordered;
    }
    return left <=> right;
}

}  // namespace

std::string_view type_name(Kind kind) {
    static constexpr std::array<std::string_view, 12> names = {"null_type",
                                                               "bool",
                                                               "int",
                                                               "uint",
                                                               "double",
                                                               "string",
                                                               "bytes",
                                                               "list",
                                                               "map",
                                                               "google.protobuf.Duration",
                                                               "google.protobuf.Timestamp",
                                                               "type"};
    return names[static_cast<std::size_t>(kind)];
}

Value::Value(const boost::json::value& json) {
    switch (json.kind()) {
        case boost::json::kind::null:
            break;
        case boost::json::kind::bool_:
            data_ = json.get_bool();
            break;
        case boost::json::kind::int64:
            data_ = static_cast<double>(json.get_int64());
            source_ = &json;
            break;
        case boost::json::kind::uint64:
            data_ = static_cast<double>(json.get_uint64());
            source_ = &json;
            break;
        case boost::json::kind::double_:
            data_ = json.get_double();
            break;
        case boost::json::kind::string:
            data_ = Text{view_of(json.get_string()), nullptr};
            break;
        case boost::json::kind::array:
            data_ = List{&json.get_array(), nullptr};
            break;
        case boost::json::kind::object:
            data_ = Map{&json.get_object(), nullptr};
            break;
    }
}

Value Value::text(std::string made) {
    auto owner = std::make_shared<const std::string>(std::move(made));
    const std::string_view view = *owner;
    return Value{Text{view, std::move(owner)}};
}

Value Value::bytes(std::string made) {
    auto owner = std::make_shared<const std::string>(std::move(made));
    const std::string_view view = *owner;
    return Value{Bytes{view, std::move(owner)}};
}

std::size_t List::size() const {
    return json != nullptr ? json->size() : items->size();
}

Value List::at(std::size_t index) const {
    return json != nullptr ? Value{(*json)[index]} : (*items)[index];
}

std::size_t Map::size() const {
    return json != nullptr ? json->size() : entries->size();
}

Value Map::key_at(std::size_t index) const {
    if (json == nullptr) {
        return (*entries)[index].first;
    }
    const auto key = (json->begin() + index)->key();
    return Value{Text{{key.data(), key.size()}, nullptr}};
}

Value Map::value_at(std::size_t index) const {
    return json != nullptr ? Value{(json->begin() + index)->value()} : (*entries)[index].second;
}

std::optional<Value> Map::find(std::string_view key, Budget& budget) const {
    if (json == nullptr) {
        return find(Value{Text{key, nullptr}}, budget);
    }
    const auto* found = json->if_contains({key.data(), key.size()});
    return found != nullptr ? std::optional{Value{*found}} : std::nullopt;
}

std::optional<Value> Map::find(const Value& key, Budget& budget) const {
    if (json != nullptr) {
        const auto* text = key.get<Text>();
        return text != nullptr ? find(text->view, budget) : std::nullopt;
    }
    for (const auto& [name, value] : *entries) {
        if (!budget.step()) {
            return std::nullopt;
        }
        if (equal(name, key, budget)) {
            return value;
        }
    }
    return std::nullopt;
}

double as_double(const Value& number) {
    if (const auto* value = number.get<double>()) {
        return *value;
    }
    if (const auto* value = number.get<std::int64_t>()) {
        return static_cast<double>(*value);
    }
    return static_cast<double>(*number.get<std::uint64_t>());
}

bool equal(const Value& left, const Value& right, Budget& budget) {
    if (left.is_number() && right.is_number()) {
        return std::is_eq(compare_numbers(left, right));
    }
    if (left.kind() != right.kind()) {
        return false;
    }
    switch (left.kind()) {
        case Kind::null:
            return true;
        case Kind::list:
            return equal_lists(*left.get<List>(), *right.get<List>(), budget);
        case Kind::map:
            return equal_maps(*left.get<Map>(), *right.get<Map>(), budget);
        case Kind::type:
            return left.get<Type>()->kind == right.get<Type>()->kind;
        case Kind::string:
            // Unequal sizes are told without a look at the bytes.
            return left.get<Text>()->view.size() == right.get<Text>()->view.size() &&
                   compare(left, right, budget) == std::partial_ordering::equivalent;
        default:
            return compare(left, right, budget) == std::partial_ordering::equivalent;
    }
}

std::optional<std::partial_ordering> compare(const Value& left,
                                             const Value& right,
                                             Budget& budget) {
    if (left.is_number() && right.is_number()) {
        return compare_numbers(left, right);
    }
    if (left.kind() != right.kind()) {
        return std::nullopt;
    }
    switch (left.kind()) {
        case Kind::boolean:
            return *left.get<bool>() <=> *right.get<bool>();
        case Kind::string:
            return compare_text(left.get<Text>()->view, right.get<Text>()->view, budget);
        case Kind::bytes:
            return compare_text(left.get<Bytes>()->view, right.get<Bytes>()->view, budget);
        case Kind::duration:
            return *left.get<Duration>() <=> *right.get<Duration>();
        case Kind::timestamp:
            return *left.get<Timestamp>() <=> *right.get<Timestamp>();
        default:
            return std::nullopt;
    }
}

}  // namespace sonde::probes::wire::cel

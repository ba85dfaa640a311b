// Arithmetic, comparisons, membership and indexing.
#include "probes/wire/cel/context.hpp"
#include "probes/wire/cel/time_text.hpp"
#include "probes/wire/printable.hpp"

#include <cmath>
#include <compare>
#include <limits>
#include <type_traits>

namespace sonde::probes::wire::cel {

namespace {

bool no_overload(Operator op, const Value& left, const Value& right, Context& context) {
    return context.fail("no such overload: " + std::string{type_name(left.kind())} + " " +
                        std::string{symbol_of(op)} + " " + std::string{type_name(right.kind())});
}

template <typename Integer>
bool apply_integers(Operator op, Integer left, Integer right, Context& context, Value& out) {
    Integer result = 0;
    bool overflow = false;
    switch (op) {
        case Operator::add:
            overflow = __builtin_add_overflow(left, right, &result);
            break;
        case Operator::subtract:
            overflow = __builtin_sub_overflow(left, right, &result);
            break;
        case Operator::multiply:
            overflow = __builtin_mul_overflow(left, right, &result);
            break;
        default:
            if (right == 0) {
                return context.fail(op == Operator::divide ? "division by zero"
                                                           : "modulus by zero");
            }
            if constexpr (std::is_signed_v<Integer>) {
                overflow = right == -1 && left == std::numeric_limits<Integer>::min();
            }
            if (!overflow) {
                result = op == Operator::divide ? left / right : left % right;
            }
    }
    if (overflow) {
        return context.fail(std::is_signed_v<Integer> ? "integer overflow"
                                                      : "unsigned integer overflow");
    }
    out = Value{Integer{result}};
    return true;
}

bool apply_doubles(Operator op, double left, double right, Context& context, Value& out) {
    switch (op) {
        case Operator::add:
            out = Value{left + right};
            return true;
        case Operator::subtract:
            out = Value{left - right};
            return true;
        case Operator::multiply:
            out = Value{left * right};
            return true;
        case Operator::divide:
            out = Value{left / right};
            return true;
        default:
            break;
    }
    if (right == 0) {
        return context.fail("modulus by zero");
    }
    out = Value{std::fmod(left, right)};
    return true;
}

bool apply_numbers(
    Operator op, const Value& left, const Value& right, Context& context, Value& out) {
    if (left.kind() == Kind::floating || right.kind() == Kind::floating) {
        return apply_doubles(op, as_double(left), as_double(right), context, out);
    }
    if (left.kind() != right.kind()) {
        return no_overload(op, left, right, context);
    }
    if (const auto* number = left.get<std::int64_t>()) {
        return apply_integers(op, *number, *right.get<std::int64_t>(), context, out);
    }
    return apply_integers(
        op, *left.get<std::uint64_t>(), *right.get<std::uint64_t>(), context, out);
}

bool joined(std::string_view left, std::string_view right, Context& context, std::string& out) {
    const auto size = left.size() + right.size();
    if (!context.budget.take(size) || !context.budget.step(size / 256)) {
        return false;
    }
    out.reserve(size);
    out.append(left).append(right);
    return true;
}

bool join_lists(const List& left, const List& right, Context& context, Value& out) {
    const auto size = left.size() + right.size();
    if (!context.budget.take(size * sizeof(Value)) || !context.budget.step(size)) {
        return false;
    }
    auto items = std::make_shared<std::vector<Value>>();
    items->reserve(size);
    for (const auto* list : {&left, &right}) {
        for (std::size_t index = 0; index < list->size(); ++index) {
            items->push_back(list->at(index));
        }
    }
    out = Value{List{nullptr, std::move(items)}};
    return true;
}

template <typename Time>
bool keep_time(const std::optional<Time>& time, Context& context, Value& out) {
    if (!time) {
        return context.fail(std::is_same_v<Time, Duration> ? "duration overflow"
                                                           : "timestamp overflow");
    }
    out = Value{Time{*time}};
    return true;
}

bool apply_times(Operator op, const Value& left, const Value& right, Context& context, Value& out) {
    const bool adds = op == Operator::add;
    const auto* time = left.get<Timestamp>();
    const auto* by = right.get<Duration>();
    if (const auto* first = left.get<Duration>(); first != nullptr && by != nullptr) {
        std::int64_t sum = 0;
        const bool overflow =
            adds ? __builtin_add_overflow(first->nanoseconds, by->nanoseconds, &sum)
                 : __builtin_sub_overflow(first->nanoseconds, by->nanoseconds, &sum);
        return keep_time(overflow ? std::nullopt : std::optional{Duration{sum}}, context, out);
    }
    if (const auto* other = right.get<Timestamp>(); time != nullptr && other != nullptr && !adds) {
        return keep_time(difference(*time, *other), context, out);
    }
    if (adds && time == nullptr) {
        time = right.get<Timestamp>();
        by = left.get<Duration>();
    }
    if (time == nullptr || by == nullptr) {
        return no_overload(op, left, right, context);
    }
    if (!adds && by->nanoseconds == std::numeric_limits<std::int64_t>::min()) {
        return context.fail("duration overflow");
    }
    return keep_time(
        moved(*time, Duration{adds ? by->nanoseconds : -by->nanoseconds}), context, out);
}

bool apply_arithmetic(
    Operator op, const Value& left, const Value& right, Context& context, Value& out) {
    if (left.is_number() && right.is_number()) {
        return apply_numbers(op, left, right, context, out);
    }
    if (op == Operator::add && left.kind() == right.kind()) {
        std::string made;
        if (const auto* text = left.get<Text>()) {
            const bool good = joined(text->view, right.get<Text>()->view, context, made);
            out = Value::text(std::move(made));
            return good;
        }
        if (const auto* bytes = left.get<Bytes>()) {
            const bool good = joined(bytes->view, right.get<Bytes>()->view, context, made);
            out = Value::bytes(std::move(made));
            return good;
        }
        if (const auto* list = left.get<List>()) {
            return join_lists(*list, *right.get<List>(), context, out);
        }
    }
    if (op == Operator::add || op == Operator::subtract) {
        return apply_times(op, left, right, context, out);
    }
    return no_overload(op, left, right, context);
}

bool apply_order(Operator op, const Value& left, const Value& right, Context& context, Value& out) {
    const auto order = compare(left, right, context.budget);
    if (!order) {
        return no_overload(op, left, right, context);
    }
    if (*order == std::partial_ordering::unordered) {
        return context.fail("NaN values cannot be ordered");
    }
    switch (op) {
        case Operator::less:
            out = Value{std::is_lt(*order)};
            break;
        case Operator::less_equal:
            out = Value{std::is_lteq(*order)};
            break;
        case Operator::greater:
            out = Value{std::is_gt(*order)};
            break;
        default:
            out = Value{std::is_gteq(*order)};
    }
    return true;
}

bool apply_in(const Value& left, const Value& right, Context& context, Value& out) {
    if (const auto* map = right.get<Map>()) {
        out = Value{map->find(left, context.budget).has_value()};
        return true;
    }
    const auto* list = right.get<List>();
    if (list == nullptr) {
        return no_overload(Operator::in, left, right, context);
    }
    bool found = false;
    for (std::size_t index = 0; !found && index < list->size() && context.budget.step(); ++index) {
        found = equal(left, list->at(index), context.budget);
    }
    out = Value{found};
    return true;
}

/// A list's index may be a double, as all numbers of a body are.
std::optional<std::int64_t> whole_number(const Value& value) {
    if (const auto* number = value.get<std::int64_t>()) {
        return *number;
    }
    if (const auto* number = value.get<std::uint64_t>()) {
        return *number <= std::uint64_t{1} << 62U
                   ? std::optional{static_cast<std::int64_t>(*number)}
                   : std::nullopt;
    }
    const double number = *value.get<double>();
    return std::trunc(number) == number && std::fabs(number) < 0x1p62
               ? std::optional{static_cast<std::int64_t>(number)}
               : std::nullopt;
}

std::string shown(const Value& key) {
    if (const auto* text = key.get<Text>()) {
        return printable(text->view, 64);
    }
    if (key.kind() == Kind::boolean) {
        return *key.get<bool>() ? "true" : "false";
    }
    if (const auto* number = key.get<std::int64_t>()) {
        return std::to_string(*number);
    }
    return key.is_number() ? go_text(as_double(key)) : std::string{type_name(key.kind())};
}

}  // namespace

bool apply_unary(Operator op, const Value& operand, Context& context, Value& out) {
    if (op == Operator::invert) {
        if (const auto* flag = operand.get<bool>()) {
            out = Value{!*flag};
            return true;
        }
    } else if (const auto* number = operand.get<std::int64_t>()) {
        return apply_integers(Operator::subtract, std::int64_t{0}, *number, context, out);
    } else if (const auto* floating = operand.get<double>()) {
        out = Value{-*floating};
        return true;
    }
    return context.fail("no such overload: " + std::string{symbol_of(op)} +
                        std::string{type_name(operand.kind())});
}

bool apply_binary(
    Operator op, const Value& left, const Value& right, Context& context, Value& out) {
    switch (op) {
        case Operator::equals:
            out = Value{equal(left, right, context.budget)};
            return true;
        case Operator::differs:
            out = Value{!equal(left, right, context.budget)};
            return true;
        case Operator::in:
            return apply_in(left, right, context, out);
        case Operator::less:
        case Operator::less_equal:
        case Operator::greater:
        case Operator::greater_equal:
            return apply_order(op, left, right, context, out);
        default:
            return apply_arithmetic(op, left, right, context, out);
    }
}

bool apply_index(const Value& operand, const Value& index, Context& context, Value& out) {
    if (const auto* map = operand.get<Map>()) {
        auto found = map->find(index, context.budget);
        if (!found) {
            return context.fail("no such key: " + shown(index));
        }
        out = std::move(*found);
        return true;
    }
    const auto* list = operand.get<List>();
    if (list == nullptr || !index.is_number()) {
        return context.fail("no such overload: " + std::string{type_name(operand.kind())} + "[" +
                            std::string{type_name(index.kind())} + "]");
    }
    const auto position = whole_number(index);
    if (!position || *position < 0 || static_cast<std::uint64_t>(*position) >= list->size()) {
        return context.fail("index out of bounds: " + shown(index));
    }
    out = list->at(static_cast<std::size_t>(*position));
    return true;
}

}  // namespace sonde::probes::wire::cel

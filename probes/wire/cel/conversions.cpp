// int(), string() and the other conversions, and results as samples and labels.
#include "probes/wire/cel.hpp"
#include "probes/wire/cel/context.hpp"
#include "probes/wire/cel/time_text.hpp"
#include "probes/wire/cel/utf8.hpp"
#include "probes/wire/printable.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace sonde::probes::wire::cel {

namespace {

bool cannot(std::string_view text, std::string_view target, Context& context) {
    return context.fail("\"" + printable(text, 64) + "\" is no " + std::string{target});
}

std::string written(double number, std::chars_format format) {
    std::array<char, 400> buffer{};  // the longest double in full has 310 digits and a sign
    const auto [end, failed] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format);
    return {buffer.data(), end};
}

template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) {
    if (std::is_signed_v<Integer> && text.size() > 1 && text[0] == '+' && text[1] != '-') {
        text.remove_prefix(1);
    }
    Integer number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc{} && end == text.data() + text.size() ? std::optional{number}
                                                                     : std::nullopt;
}

bool keep_int(const Value& value, Context& context, Value& out) {
    if (value.kind() == Kind::integer) {
        out = value;
        return true;
    }
    if (const auto* number = value.get<std::uint64_t>()) {
        out = Value{static_cast<std::int64_t>(*number)};
        return *number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
               context.fail("integer overflow");
    }
    if (const auto* number = value.get<double>()) {
        // Both ends excluded, as in cel-go; NaN is within nothing.
        if (!(*number > -0x1p63 && *number < 0x1p63)) {
            return context.fail("integer overflow");
        }
        out = Value{static_cast<std::int64_t>(*number)};
        return true;
    }
    if (const auto* text = value.get<Text>()) {
        const auto number = parse_integer<std::int64_t>(text->view);
        out = Value{std::int64_t{number.value_or(0)}};
        return number.has_value() || cannot(text->view, "int", context);
    }
    if (const auto* timestamp = value.get<Timestamp>()) {
        out = Value{std::int64_t{timestamp->seconds}};
        return true;
    }
    if (const auto* duration = value.get<Duration>()) {
        out = Value{std::int64_t{duration->nanoseconds}};
        return true;
    }
    return false;
}

bool keep_uint(const Value& value, Context& context, Value& out) {
    if (value.kind() == Kind::unsigned_integer) {
        out = value;
        return true;
    }
    if (const auto* number = value.get<std::int64_t>()) {
        out = Value{static_cast<std::uint64_t>(*number)};
        return *number >= 0 || context.fail("unsigned integer overflow");
    }
    if (const auto* number = value.get<double>()) {
        if (!(*number >= 0 && *number < 0x1p64)) {
            return context.fail("unsigned integer overflow");
        }
        out = Value{static_cast<std::uint64_t>(*number)};
        return true;
    }
    if (const auto* text = value.get<Text>()) {
        const auto number = parse_integer<std::uint64_t>(text->view);
        out = Value{std::uint64_t{number.value_or(0)}};
        return number.has_value() || cannot(text->view, "uint", context);
    }
    return false;
}

bool keep_double(const Value& value, Context& context, Value& out) {
    if (value.is_number()) {
        out = Value{as_double(value)};
        return true;
    }
    if (const auto* text = value.get<Text>()) {
        const auto number = parse_double(text->view);
        out = Value{number.value_or(0)};
        return number.has_value() || cannot(text->view, "double", context);
    }
    return false;
}

bool keep_bool(const Value& value, Context& context, Value& out) {
    if (value.kind() == Kind::boolean) {
        out = value;
        return true;
    }
    const auto* text = value.get<Text>();
    if (text == nullptr) {
        return false;
    }
    constexpr std::array<std::string_view, 6> yes = {"1", "t", "T", "true", "TRUE", "True"};
    constexpr std::array<std::string_view, 6> no = {"0", "f", "F", "false", "FALSE", "False"};
    const bool is_true = std::find(yes.begin(), yes.end(), text->view) != yes.end();
    out = Value{bool{is_true}};
    return is_true || std::find(no.begin(), no.end(), text->view) != no.end() ||
           cannot(text->view, "bool", context);
}

bool keep_string(const Value& value, Context& context, Value& out) {
    switch (value.kind()) {
        case Kind::string:
            out = value;
            return true;
        case Kind::boolean:
            out = Value::text(*value.get<bool>() ? "true" : "false");
            break;
        case Kind::integer:
            out = Value::text(std::to_string(*value.get<std::int64_t>()));
            break;
        case Kind::unsigned_integer:
            out = Value::text(std::to_string(*value.get<std::uint64_t>()));
            break;
        case Kind::floating:
            out = Value::text(go_text(*value.get<double>()));
            break;
        case Kind::duration:
            out = Value::text(to_string(*value.get<Duration>()));
            break;
        case Kind::timestamp:
            out = Value::text(to_string(*value.get<Timestamp>()));
            break;
        case Kind::bytes: {
            const auto& bytes = *value.get<Bytes>();
            if (!is_utf8(bytes.view)) {
                return context.fail("invalid UTF-8 in bytes");
            }
            out = Value{Text{bytes.view, bytes.owner}};
            return true;
        }
        default:
            return false;
    }
    // Short, but a macro may ask for many.
    context.budget.take(64);
    return true;
}

bool keep_timestamp(const Value& value, Context& context, Value& out) {
    std::optional<Timestamp> timestamp;
    if (const auto* text = value.get<Text>()) {
        timestamp = parse_timestamp(text->view);
        if (!timestamp) {
            return cannot(text->view, "timestamp", context);
        }
    } else if (const auto* number = value.get<std::int64_t>()) {
        timestamp = make_timestamp(*number, 0);
    } else if (const auto* floating = value.get<double>()) {
        const double whole = std::floor(*floating);
        if (std::fabs(whole) < 1e12) {
            timestamp = make_timestamp(static_cast<std::int64_t>(whole),
                                       static_cast<std::int64_t>((*floating - whole) * 1e9));
        }
    } else if (const auto* same = value.get<Timestamp>()) {
        timestamp = *same;
    } else {
        return false;
    }
    out = Value{timestamp.value_or(Timestamp{})};
    return timestamp.has_value() || context.fail("timestamp overflow");
}

bool keep_duration(const Value& value, Context& context, Value& out) {
    if (value.kind() == Kind::duration) {
        out = value;
        return true;
    }
    if (const auto* text = value.get<Text>()) {
        const auto duration = parse_duration(text->view);
        out = Value{duration.value_or(Duration{})};
        return duration.has_value() || cannot(text->view, "duration", context);
    }
    return false;
}

}  // namespace

std::string go_text(double number) {
    if (!std::isfinite(number)) {
        return std::isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf";
    }
    auto scientific = written(number, std::chars_format::scientific);
    const auto* const digits = scientific.data() + scientific.find('e') + 1;
    const auto* const end = scientific.data() + scientific.size();
    int exponent = 0;
    std::from_chars(*digits == '+' ? digits + 1 : digits, end, exponent);
    return exponent < -4 || exponent >= 6 ? scientific : written(number, std::chars_format::fixed);
}

std::optional<double> parse_double(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    std::string lower{text.substr(0, 9)};
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    });
    double number = 0;
    if (lower == "inf" || lower == "infinity") {
        number = std::numeric_limits<double>::infinity();
    } else if (lower == "nan") {
        number = std::numeric_limits<double>::quiet_NaN();
    } else {
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failed != std::errc{} || end != text.data() + text.size() ||
            (text[0] != '.' && (text[0] < '0' || text[0] > '9'))) {
            return std::nullopt;
        }
    }
    return negative ? -number : number;
}

bool convert(Function function, const Value& value, Context& context, Value& out) {
    switch (function) {
        case Function::to_int:
            return keep_int(value, context, out);
        case Function::to_uint:
            return keep_uint(value, context, out);
        case Function::to_double:
            return keep_double(value, context, out);
        case Function::to_bool:
            return keep_bool(value, context, out);
        case Function::to_string:
            return keep_string(value, context, out);
        case Function::to_timestamp:
            return keep_timestamp(value, context, out);
        case Function::to_duration:
            return keep_duration(value, context, out);
        default:
            break;
    }
    if (const auto* text = value.get<Text>()) {
        out = Value{Bytes{text->view, text->owner}};
        return true;
    }
    out = value;
    return value.kind() == Kind::bytes;
}

std::optional<double> to_number(const Value& value) {
    switch (value.kind()) {
        case Kind::boolean:
            return *value.get<bool>() ? 1.0 : 0.0;
        case Kind::integer:
        case Kind::unsigned_integer:
        case Kind::floating:
            return as_double(value);
        case Kind::duration:
            return static_cast<double>(value.get<Duration>()->nanoseconds) / 1e9;
        case Kind::timestamp: {
            const auto& timestamp = *value.get<Timestamp>();
            return static_cast<double>(timestamp.seconds) + timestamp.nanoseconds / 1e9;
        }
        case Kind::string: {
            const auto number = parse_double(value.get<Text>()->view);
            return number && std::isfinite(*number) ? number : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

std::optional<std::string> to_text(const Value& value) {
    if (const auto* source = value.source()) {
        return source->is_int64() ? std::to_string(source->get_int64())
                                  : std::to_string(source->get_uint64());
    }
    switch (value.kind()) {
        case Kind::string:
            return std::string{value.get<Text>()->view};
        case Kind::floating: {
            // 1e+06 is nobody's label: whole numbers are written out as far as they are exact.
            const double number = *value.get<double>();
            return std::trunc(number) == number && std::fabs(number) < 0x1p53
                       ? written(number, std::chars_format::fixed)
                       : go_text(number);
        }
        case Kind::boolean:
        case Kind::integer:
        case Kind::unsigned_integer:
        case Kind::duration:
        case Kind::timestamp: {
            Context context{{0, 64, false}, {}};
            Value text;
            keep_string(value, context, text);
            return std::string{text.get<Text>()->view};
        }
        default:
            return std::nullopt;
    }
}

}  // namespace sonde::probes::wire::cel

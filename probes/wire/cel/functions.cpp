// The functions that are no conversions: size, text tests, patterns, the calendar.
#include "probes/wire/cel/context.hpp"
#include "probes/wire/cel/regex.hpp"
#include "probes/wire/cel/time_text.hpp"
#include "probes/wire/cel/utf8.hpp"
#include "probes/wire/printable.hpp"

#include <re2/re2.h>

#include <cstring>
#include <optional>

namespace sonde::probes::wire::cel {

namespace {

constexpr std::size_t max_dynamic_pattern = 256;

bool no_overload(const Node& call, std::span<const Value> arguments, Context& context) {
    std::string types;
    for (const auto& argument : arguments) {
        types += (types.empty() ? "" : ", ") + std::string{type_name(argument.kind())};
    }
    return context.fail("no such overload: " + std::string{signature_of(call.function).name} + "(" +
                        types + ")");
}

std::optional<std::size_t> size_of(const Value& value, Context& context) {
    if (const auto* text = value.get<Text>()) {
        return context.budget.step(text->view.size() / 256) ? count_code_points(text->view) : 0;
    }
    if (const auto* bytes = value.get<Bytes>()) {
        return bytes->view.size();
    }
    if (const auto* list = value.get<List>()) {
        return list->size();
    }
    if (const auto* map = value.get<Map>()) {
        return map->size();
    }
    return std::nullopt;
}

/// Linear whatever the two are, which string_view::find is not.
bool contains(std::string_view text, std::string_view part) {
    return part.empty() || memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

bool matches(const Node& call,
             std::string_view text,
             std::string_view pattern,
             Context& context,
             Value& out) {
    if (call.pattern != nullptr) {
        if (context.budget.step(text.size() / 4)) {
            out = Value{found_in(*call.pattern, text)};
        }
        return true;
    }
    if (pattern.size() > max_dynamic_pattern) {
        return context.fail("a pattern that is made on the way may have 256 bytes");
    }
    // What it costs to compile: up to a millisecond.
    if (!context.budget.step(20'000)) {
        return true;
    }
    std::string what;
    const auto compiled = compile_regex(pattern, dynamic_regex_memory, what);
    if (compiled == nullptr) {
        return context.fail(std::move(what));
    }
    // Should RE2 have no room for its automaton, each byte costs as much as the pattern is long.
    const auto length = static_cast<std::uint64_t>(compiled->ProgramSize());
    if (context.budget.step(text.size() / 16 * length)) {
        out = Value{found_in(*compiled, text)};
    }
    return true;
}

bool apply_text(const Node& call, std::span<const Value> arguments, Context& context, Value& out) {
    const auto* text = arguments[0].get<Text>();
    const auto* part = arguments[1].get<Text>();
    if (text == nullptr || part == nullptr) {
        return no_overload(call, arguments, context);
    }
    if (call.function == Function::matches) {
        return matches(call, text->view, part->view, context, out);
    }
    if (!context.budget.step(text->view.size() / 64)) {
        return true;
    }
    switch (call.function) {
        case Function::contains:
            out = Value{contains(text->view, part->view)};
            break;
        case Function::starts_with:
            out = Value{text->view.starts_with(part->view)};
            break;
        default:
            out = Value{text->view.ends_with(part->view)};
    }
    return true;
}

CalendarField field_of(Function function) {
    switch (function) {
        case Function::get_full_year:
            return CalendarField::year;
        case Function::get_month:
            return CalendarField::month;
        case Function::get_day_of_year:
            return CalendarField::day_of_year;
        case Function::get_day_of_month:
            return CalendarField::day_of_month;
        case Function::get_date:
            return CalendarField::date;
        case Function::get_day_of_week:
            return CalendarField::day_of_week;
        case Function::get_hours:
            return CalendarField::hours;
        case Function::get_minutes:
            return CalendarField::minutes;
        case Function::get_seconds:
            return CalendarField::seconds;
        default:
            return CalendarField::milliseconds;
    }
}

bool apply_calendar(const Node& call,
                    std::span<const Value> arguments,
                    Context& context,
                    Value& out) {
    const auto field = field_of(call.function);
    if (const auto* duration = arguments[0].get<Duration>(); duration && arguments.size() == 1) {
        if (const auto number = duration_field(*duration, field)) {
            out = Value{std::int64_t{*number}};
            return true;
        }
    }
    const auto* timestamp = arguments[0].get<Timestamp>();
    const auto* zone = arguments.size() == 2 ? arguments[1].get<Text>() : nullptr;
    if (timestamp == nullptr || (arguments.size() == 2 && zone == nullptr)) {
        return no_overload(call, arguments, context);
    }
    const auto offset = zone_offset(zone != nullptr ? zone->view : "UTC");
    if (!offset) {
        return context.fail("unknown time zone \"" + printable(zone->view, 64) +
                            "\": write \"UTC\" or an offset (\"+02:00\")");
    }
    // Beyond the first or last year by a few hours at most, which the calendar bears.
    const Timestamp local{timestamp->seconds + *offset, timestamp->nanoseconds};
    out = Value{calendar_field(local, field)};
    return true;
}

}  // namespace

bool apply_function(const Node& call,
                    std::span<const Value> arguments,
                    Context& context,
                    Value& out) {
    switch (call.function) {
        case Function::size:
            if (const auto size = size_of(arguments[0], context)) {
                out = Value{static_cast<std::int64_t>(*size)};
                return true;
            }
            break;
        case Function::matches:
        case Function::contains:
        case Function::starts_with:
        case Function::ends_with:
            return apply_text(call, arguments, context, out);
        case Function::to_dyn:
            out = arguments[0];
            return true;
        case Function::type:
            out = Value{Type{arguments[0].kind()}};
            return true;
        default:
            if (call.function >= Function::get_full_year) {
                return apply_calendar(call, arguments, context, out);
            }
            if (convert(call.function, arguments[0], context, out)) {
                return true;
            }
            if (!context.error.empty()) {
                return false;
            }
    }
    return no_overload(call, arguments, context);
}

}  // namespace sonde::probes::wire::cel

// The names of operators and functions.
#include "probes/wire/cel/node.hpp"

#include <algorithm>
#include <array>

namespace sonde::probes::wire::cel {

namespace {

constexpr Signature conversion(std::string_view name, Function function) {
    return {name, function, true, false, 1, 1};
}

constexpr Signature text_test(std::string_view name, Function function) {
    return {name, function, false, true, 2, 2};
}

/// With a time zone or without.
constexpr Signature accessor(std::string_view name, Function function) {
    return {name, function, false, true, 1, 2};
}

// In the order of Function.
constexpr std::array signatures = {Signature{"size", Function::size, true, true, 1, 1},
                                   Signature{"matches", Function::matches, true, true, 2, 2},
                                   text_test("contains", Function::contains),
                                   text_test("startsWith", Function::starts_with),
                                   text_test("endsWith", Function::ends_with),
                                   conversion("bool", Function::to_bool),
                                   conversion("int", Function::to_int),
                                   conversion("uint", Function::to_uint),
                                   conversion("double", Function::to_double),
                                   conversion("string", Function::to_string),
                                   conversion("bytes", Function::to_bytes),
                                   conversion("timestamp", Function::to_timestamp),
                                   conversion("duration", Function::to_duration),
                                   conversion("dyn", Function::to_dyn),
                                   conversion("type", Function::type),
                                   accessor("getFullYear", Function::get_full_year),
                                   accessor("getMonth", Function::get_month),
                                   accessor("getDayOfYear", Function::get_day_of_year),
                                   accessor("getDayOfMonth", Function::get_day_of_month),
                                   accessor("getDate", Function::get_date),
                                   accessor("getDayOfWeek", Function::get_day_of_week),
                                   accessor("getHours", Function::get_hours),
                                   accessor("getMinutes", Function::get_minutes),
                                   accessor("getSeconds", Function::get_seconds),
                                   accessor("getMilliseconds", Function::get_milliseconds)};

static_assert(signatures.size() == static_cast<std::size_t>(Function::get_milliseconds) + 1);

}  // namespace

std::string_view symbol_of(Operator op) {
    static constexpr std::array<std::string_view, 14> names = {
        "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "-", "!"};
    return names[static_cast<std::size_t>(op)];
}

const Signature* find_function(std::string_view name) {
    const auto* const found =
        std::find_if(signatures.begin(), signatures.end(), [name](const Signature& signature) {
            return signature.name == name;
        });
    return found != signatures.end() ? found : nullptr;
}

const Signature& signature_of(Function function) {
    return signatures[static_cast<std::size_t>(function)];
}

}  // namespace sonde::probes::wire::cel

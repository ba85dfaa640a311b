// The values of the expression language: views into a parsed JSON body, or what an expression made.
// Operators and conversions are elsewhere; this is what a value is, equality, order and lookup.
#pragma once

#include <boost/json/fwd.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace sonde::probes::wire::cel {

enum class Kind : std::uint8_t {
    null,
    boolean,
    integer,
    unsigned_integer,
    floating,
    string,
    bytes,
    list,
    map,
    duration,
    timestamp,
    type
};

/// As type() names it: "int", "null_type", "google.protobuf.Duration".
[[nodiscard]] std::string_view type_name(Kind kind);

struct Null {};

/// UTF-8. Without an owner the bytes belong to the body or to the expression.
struct Text {
    std::string_view view;
    std::shared_ptr<const std::string> owner;
};

struct Bytes {
    std::string_view view;
    std::shared_ptr<const std::string> owner;
};

struct Duration {
    std::int64_t nanoseconds = 0;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 in what the compiler makes
    auto operator<=>(const Duration&) const = default;
};

/// Since the Unix epoch, from year 1 to 9999; `nanoseconds` from 0 to 999,999,999.
struct Timestamp {
    std::int64_t seconds = 0;
    std::int32_t nanoseconds = 0;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 in what the compiler makes
    auto operator<=>(const Timestamp&) const = default;
};

struct Type {
    Kind kind = Kind::null;
};

class Value;

/// What an evaluation may still do. Every loop over a body's data draws on it, so that neither a
/// body nor an expression can keep a thread.
struct Budget {
    std::uint64_t steps = 0;  // of some 10 to 100 ns
    std::uint64_t bytes = 0;  // that strings and lists made on the way may take
    bool exhausted = false;

    /// False: spent, and what was asked must not be done. Once false always false.
    bool step(std::uint64_t count = 1) { return draw(steps, count); }

    bool take(std::uint64_t count) { return draw(bytes, count); }

private:
    bool draw(std::uint64_t& left, std::uint64_t count) {
        exhausted = exhausted || count > left;
        left -= exhausted ? 0 : count;
        return !exhausted;
    }
};

/// Of a body, or made.
struct List {
    const boost::json::array* json = nullptr;  // else `items`
    std::shared_ptr<const std::vector<Value>> items;

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] Value at(std::size_t index) const;
};

struct Map {
    using Entries = std::vector<std::pair<Value, Value>>;

    const boost::json::object* json = nullptr;  // else `entries`
    std::shared_ptr<const Entries> entries;

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] Value key_at(std::size_t index) const;
    [[nodiscard]] Value value_at(std::size_t index) const;

    /// 1, 1u and 1.0 are one key.
    [[nodiscard]] std::optional<Value> find(const Value& key, Budget& budget) const;
    [[nodiscard]] std::optional<Value> find(std::string_view key, Budget& budget) const;
};

/// What a value may hold: not another value, and JSON only by reference.
template <typename T>
concept Content = !std::is_same_v<T, Value> && !std::is_same_v<T, boost::json::value>;

/// Cheap to copy. What comes from a body or an expression's literals refers to it and must not
/// outlive it.
class Value {
public:
    using Data = std::variant<Null,
                              bool,
                              std::int64_t,
                              std::uint64_t,
                              double,
                              Text,
                              Bytes,
                              List,
                              Map,
                              Duration,
                              Timestamp,
                              Type>;

    Value() = default;

    template <Content T>
    explicit Value(T data) : data_(std::in_place_type<T>, std::move(data)) {}

    /// A view of `json`. Every number is a double, as cel-go has it for JSON.
    explicit Value(const boost::json::value& json);
    explicit Value(boost::json::value&&) = delete;

    [[nodiscard]] static Value text(std::string made);
    [[nodiscard]] static Value bytes(std::string made);

    [[nodiscard]] Kind kind() const { return static_cast<Kind>(data_.index()); }

    /// Null when it is of another kind.
    template <typename T>
    [[nodiscard]] const T* get() const {
        return std::get_if<T>(&data_);
    }

    [[nodiscard]] bool is_number() const {
        return kind() == Kind::integer || kind() == Kind::unsigned_integer ||
               kind() == Kind::floating;
    }

    /// The JSON behind a number, which knows integers that a double does not; else null.
    [[nodiscard]] const boost::json::value* source() const { return source_; }

    [[nodiscard]] const Data& data() const { return data_; }

private:
    Data data_;
    const boost::json::value* source_ = nullptr;
};

/// Never an error: values of different kinds are not equal, numbers of all kinds compare by value.
[[nodiscard]] bool equal(const Value& left, const Value& right, Budget& budget);

/// `unordered`: at least one is NaN. Nothing: there is no order between these kinds.
[[nodiscard]] std::optional<std::partial_ordering> compare(const Value& left,
                                                           const Value& right,
                                                           Budget& budget);

/// Of a number, whatever its kind.
[[nodiscard]] double as_double(const Value& number);

}  // namespace sonde::probes::wire::cel

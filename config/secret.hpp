// A string of the configuration that may be a secret: `"plain"`, `{ file = "path" }` or `{ env =
// "NAME" }`. Owns the rule that what came from a file or the environment is never shown.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sonde::config {

class Text {
public:
    Text() = default;

    static Text plain(std::string value) { return Text{std::move(value), false}; }

    static Text secret(std::string value) { return Text{std::move(value), true}; }

    [[nodiscard]] bool is_secret() const { return secret_; }

    /// The value itself: for the wire and for comparing, never for people.
    [[nodiscard]] const std::string& reveal() const { return value_; }

    /// What may be logged and shown: the value, or "<secret>".
    [[nodiscard]] std::string_view show() const {
        return secret_ ? std::string_view{"<secret>"} : std::string_view{value_};
    }

    bool operator==(const Text&) const = default;

private:
    Text(std::string value, bool secret) : value_(std::move(value)), secret_(secret) {}

    std::string value_;
    bool secret_ = false;
};

}  // namespace sonde::config

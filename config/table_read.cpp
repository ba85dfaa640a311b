// Table: typed reads of single values, lists and files. Maps are in table_maps.cpp.
#include "config/table_state.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace sonde::config {

namespace {

std::string between(const std::string& least, const std::string& most) {
    return "must be between " + least + " and " + most;
}

Text absolute_path(const std::string& directory, const Text& path) {
    std::string whole = config::absolute_path(directory, path.reveal());
    return path.is_secret() ? Text::secret(std::move(whole)) : Text::plain(std::move(whole));
}

std::string cannot_read(const Text& path, const FileContent& file) {
    const std::string shown =
        path.is_secret() ? "the file that the secret names" : quoted(path.reveal());
    return "cannot read " + shown + ": " + file.error;
}

}  // namespace

bool Table::read(Key key, bool& value) {
    if (state_->document(key, "boolean", value ? "true" : "false")) {
        return false;
    }
    const Found found = state_->find(key.name, true);
    const auto* boolean = found ? found.node->as_boolean() : nullptr;
    if (found && boolean == nullptr) {
        state_->wrong(found, key.name, not_a("true or false", *found.node));
    }
    if (boolean != nullptr) {
        value = boolean->get();
    }
    state_->trace(key.name, value ? "true" : "false");
    return boolean != nullptr;
}

bool Table::read(Key key, std::int64_t& value, std::int64_t least, std::int64_t most) {
    if (state_->document(key,
                         "integer, " + std::to_string(least) + " to " + std::to_string(most),
                         std::to_string(value))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        const auto* integer = found.node->as_integer();
        if (integer == nullptr) {
            state_->wrong(found, key.name, not_a("an integer", *found.node));
        } else if (integer->get() < least || integer->get() > most) {
            state_->wrong(found, key.name, between(std::to_string(least), std::to_string(most)));
        } else {
            value = integer->get();
            right = true;
        }
    }
    state_->trace(key.name, std::to_string(value));
    return right;
}

bool Table::read(Key key, double& value, double least, double most) {
    if (state_->document(key,
                         "number, " + number_text(least) + " to " + number_text(most),
                         number_text(value))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        const std::optional<double> number =
            found.node->is_number() ? found.node->value<double>() : std::optional<double>{};
        if (!number) {
            state_->wrong(found, key.name, not_a("a number", *found.node));
        } else if (!(*number >= least && *number <= most)) {  // also refuses nan
            state_->wrong(found, key.name, between(number_text(least), number_text(most)));
        } else {
            value = *number;
            right = true;
        }
    }
    state_->trace(key.name, number_text(value));
    return right;
}

bool Table::read(Key key, std::string& value) {
    if (state_->document(key, "string", value.empty() ? "" : quoted(value))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        if (const auto* string = found.node->as_string()) {
            value = string->get();
            right = true;
        } else {
            state_->wrong(found, key.name, not_a_string(*found.node));
        }
    }
    state_->trace(key.name, value);
    return right;
}

bool Table::read(Key key, Text& value) {
    if (state_->document(
            key, "string or secret", value.reveal().empty() ? "" : quoted(value.show()))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        TextResult result =
            read_text(*found.node, *state_->levels[found.level].source, state_->context->inputs);
        if (result.text) {
            value = *std::move(result.text);
            right = true;
        } else {
            state_->wrong(found, key.name, std::move(result.error));
        }
    }
    state_->trace(key.name, value.is_secret() ? "secret" : "plain");
    state_->trace(key.name, value.reveal());
    return right;
}

bool Table::read(Key key, Duration& value, Duration least, Duration most) {
    const std::string low = format_duration(least);
    const std::string high = format_duration(most);
    if (state_->document(key, "duration, " + low + " to " + high, quoted(format_duration(value)))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        static constexpr std::string_view wanted =
            R"(a duration such as "500ms", "30s" or "1m30s")";
        const auto* string = found.node->as_string();
        const std::optional<Duration> duration =
            string == nullptr ? std::nullopt : parse_duration(string->get());
        if (string == nullptr) {
            state_->wrong(found, key.name, not_a(wanted, *found.node));
        } else if (!duration) {
            state_->wrong(found,
                          key.name,
                          "must be " + std::string{wanted} + ", not " + quoted(string->get()));
        } else if (*duration < least || *duration > most) {
            state_->wrong(found, key.name, between(low, high));
        } else {
            value = *duration;
            right = true;
        }
    }
    state_->trace(key.name, std::to_string(value.count()));
    return right;
}

bool Table::read(Key key, Bytes& value, Bytes least, Bytes most) {
    if (state_->document(key,
                         "bytes, " + format_bytes(least) + " to " + format_bytes(most),
                         quoted(format_bytes(value)))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        static constexpr std::string_view wanted = R"(a number of bytes such as 65536 or "64MiB")";
        const auto* string = found.node->as_string();
        const auto* integer = found.node->as_integer();
        std::optional<Bytes> bytes;
        if (string != nullptr) {
            bytes = parse_bytes(string->get());
        } else if (integer != nullptr && integer->get() >= 0) {
            bytes = Bytes{static_cast<std::uint64_t>(integer->get())};
        }
        if (string == nullptr && integer == nullptr) {
            state_->wrong(found, key.name, not_a(wanted, *found.node));
        } else if (!bytes) {
            state_->wrong(found, key.name, "must be " + std::string{wanted});
        } else if (bytes->count < least.count || bytes->count > most.count) {
            state_->wrong(found, key.name, between(format_bytes(least), format_bytes(most)));
        } else {
            value = *bytes;
            right = true;
        }
    }
    state_->trace(key.name, std::to_string(value.count));
    return right;
}

bool Table::read_word(Key key, std::string& value, std::span<const std::string_view> words) {
    std::string listed;
    for (const std::string_view word : words) {
        listed += (listed.empty() ? "" : ", ") + quoted(word);
    }
    if (state_->document(key, "one of " + listed, quoted(value))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        const auto* string = found.node->as_string();
        if (string == nullptr) {
            state_->wrong(found, key.name, not_a("one of " + listed, *found.node));
        } else if (std::find(words.begin(), words.end(), string->get()) == words.end()) {
            const std::string meant = did_you_mean(string->get(), words);
            state_->wrong(found,
                          key.name,
                          "must be one of " + listed + ", not " + quoted(string->get()) +
                              (meant.empty() ? "" : "; " + meant));
        } else {
            value = string->get();
            right = true;
        }
    }
    state_->trace(key.name, value);
    return right;
}

bool Table::read_file(Key key, Text& path, std::string& content) {
    if (state_->document(
            key, "path of a file, or secret", path.reveal().empty() ? "" : quoted(path.show()))) {
        return false;
    }
    bool right = false;
    if (const Found found = state_->find(key.name)) {
        const Source& source = *state_->levels[found.level].source;
        Inputs own;
        Inputs& inputs = state_->context->inputs != nullptr ? *state_->context->inputs : own;
        TextResult named = read_text(*found.node, source, &inputs);
        if (named.text) {
            named.text = absolute_path(source.directory, *named.text);
            const FileContent& file = inputs.file(named.text->reveal());
            if (file.bytes) {
                path = *std::move(named.text);
                content = *file.bytes;
                right = true;
            } else {
                named.error = cannot_read(*named.text, file);
            }
        }
        if (!right) {
            state_->wrong(found, key.name, std::move(named.error));
        }
    }
    state_->trace(key.name, path.is_secret() ? "secret" : "plain");
    state_->trace(key.name, path.reveal());
    state_->trace(key.name, content);
    return right;
}

std::optional<std::string> Table::environment(const std::string& name) {
    Inputs own;
    const Inputs& inputs = state_->context->inputs != nullptr ? *state_->context->inputs : own;
    std::optional<std::string> value = inputs.variable(name);
    state_->trace(name, value ? *value : "");
    return value;
}

}  // namespace sonde::config

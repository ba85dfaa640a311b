// Tables over TOML text, for the tests of the reader.
#pragma once

#include "config/document.hpp"
#include "config/table.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sonde::config::test {

/// Documents of one test, their errors and what they read from outside.
class Documents {
public:
    explicit Documents(std::string directory = "/nowhere") : directory_(std::move(directory)) {
        documents_.reserve(8);
        context.diagnostics = &diagnostics;
        context.inputs = &inputs;
    }

    /// A layer of its own file `NAME.toml`, reported below `name`.
    Layer layer(const std::string& name, std::string_view text) {
        auto document = Document::parse(text, {name + ".toml", directory_}, diagnostics);
        if (!document) {
            throw std::runtime_error{diagnostics.text()};
        }
        documents_.push_back(*std::move(document));
        Layer out = documents_.back().root();
        out.path = name;
        return out;
    }

    /// A table of one layer.
    Table table(std::string_view text) { return Table{context, {layer("t", text)}}; }

    Diagnostics diagnostics;
    Inputs inputs{[](const std::string& name) {
        return name == "SET" ? std::optional<std::string>{"from-env"} : std::nullopt;
    }};
    Context context;

private:
    std::string directory_;
    std::vector<Document> documents_;
};

}  // namespace sonde::config::test

// Names, calls and macros: here unknown names and wrong arguments are found out.
#include "probes/wire/cel/parser_state.hpp"
#include "probes/wire/cel/regex.hpp"
#include "probes/wire/printable.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sonde::probes::wire::cel {

namespace {

struct MacroName {
    std::string_view name;
    Macro macro;
};

constexpr std::array<MacroName, 6> macros = {MacroName{"all", Macro::all},
                                             MacroName{"exists", Macro::exists},
                                             MacroName{"exists_one", Macro::exists_one},
                                             MacroName{"existsOne", Macro::exists_one},
                                             MacroName{"map", Macro::map},
                                             MacroName{"filter", Macro::filter}};

std::optional<Macro> find_macro(std::string_view name) {
    const auto* const found = std::find_if(
        macros.begin(), macros.end(), [name](const auto& macro) { return macro.name == name; });
    return found != macros.end() ? std::optional{found->macro} : std::nullopt;
}

/// type(x) == int compares with these. A conversion of the same name is a call, not a name.
std::optional<Kind> find_type(std::string_view name) {
    for (std::size_t index = 0; index <= static_cast<std::size_t>(Kind::type); ++index) {
        if (type_name(static_cast<Kind>(index)) == name) {
            return static_cast<Kind>(index);
        }
    }
    return std::nullopt;
}

std::string quoted(std::string_view name) {
    return "\"" + printable(name, 64) + "\"";
}

std::string wanted_arguments(const Signature& signature, std::size_t receivers) {
    const auto least = signature.min_arguments - receivers;
    const auto most = signature.max_arguments - receivers;
    if (least != most) {
        return "at most one argument";
    }
    return most == 0 ? "no arguments" : most == 1 ? "one argument" : "two arguments";
}

}  // namespace

NodePtr Parser::name() {
    take_if(".");  // ".body" is the name outside of all macros, which for us is the same
    const auto& token = take();
    if (now().is("(")) {
        return token.text == "has" ? has(token) : call(token, nullptr);
    }
    return variable_or_type(token);
}

NodePtr Parser::variable_or_type(const Token& token) {
    const auto slot = std::find(names_.rbegin(), names_.rend(), token.text);
    if (slot != names_.rend()) {
        auto node = make(NodeKind::variable, token);
        node->slot = static_cast<std::size_t>(names_.rend() - slot) - 1;
        return node;
    }
    if (is_reserved(token.text)) {
        return fail(token, quoted(token.text) + " is a reserved word");
    }
    std::string full{token.text};
    if (full == "google" && now().is(".") && ahead(1).text == "protobuf" && ahead(2).is(".")) {
        full += ".protobuf." + std::string{ahead(3).text};
    }
    const auto kind = find_type(full);
    if (!kind) {
        std::string known;
        for (const auto name : names_) {
            known += (known.empty() ? "" : ", ") + std::string{name};
        }
        return fail(token, "unknown name " + quoted(full) + " (known: " + known + ")");
    }
    at_ += full == token.text ? 0 : 4;
    auto node = make(NodeKind::constant, token);
    node->constant = Value{Type{*kind}};
    return node;
}

NodePtr Parser::after_dot(NodePtr operand) {
    const auto& token = now();
    if (token.kind != TokenKind::identifier) {
        return token.kind == TokenKind::end
                   ? fail_unexpected()
                   : fail(token, "expected a name after \".\", found " + quoted(token.text));
    }
    take();
    if (now().is("(")) {
        const auto macro_kind = find_macro(token.text);
        return macro_kind ? macro(token, *macro_kind, std::move(operand))
                          : call(token, std::move(operand));
    }
    auto node = make(NodeKind::select, token);
    node->text = token.text;
    node->children.push_back(std::move(operand));
    return finished(std::move(node));
}

bool Parser::arguments(Nodes& into, std::string_view end) {
    if (take_if(end)) {
        return true;
    }
    // A list may end in a comma, a call may not.
    const bool trailing_comma = end == "]";
    while (true) {
        auto argument = expression();
        if (argument == nullptr) {
            return false;
        }
        into.push_back(std::move(argument));
        if (take_if(end)) {
            return true;
        }
        if (!want(",")) {
            return false;
        }
        if (trailing_comma && take_if(end)) {
            return true;
        }
    }
}

NodePtr Parser::call(const Token& name, NodePtr receiver) {
    // Before the arguments: exists(x, x) would else be told that x is unknown.
    const auto* const signature = find_function(name.text);
    if (signature == nullptr) {
        return fail(name,
                    find_macro(name.text) ? quoted(name.text) + " is called on a list or map"
                                          : "unknown function " + quoted(name.text));
    }
    take();
    Nodes given;
    const bool is_member = receiver != nullptr;
    if (is_member) {
        given.push_back(std::move(receiver));
    }
    return arguments(given, ")") ? checked_call(name, *signature, std::move(given), is_member)
                                 : nullptr;
}

NodePtr Parser::checked_call(const Token& name,
                             const Signature& signature,
                             Nodes given,
                             bool is_member) {
    if (is_member ? !signature.member : !signature.global) {
        const std::string shown{name.text};
        return fail(name,
                    is_member ? shown + "() is called as " + shown + "(value)"
                              : shown + "() is called on a value: value." + shown + "()");
    }
    if (given.size() < signature.min_arguments || given.size() > signature.max_arguments) {
        return fail(
            name,
            std::string{name.text} + "() takes " + wanted_arguments(signature, is_member ? 1 : 0));
    }
    auto node = make(NodeKind::call, name);
    node->function = signature.function;
    node->children = std::move(given);
    return prepare_pattern(*node) ? finished(std::move(node)) : nullptr;
}

/// A constant pattern is compiled once, and a wrong one is found before any body comes.
bool Parser::prepare_pattern(Node& call) {
    if (call.function != Function::matches || call.children[1]->kind != NodeKind::constant) {
        return true;
    }
    const auto* const text = call.children[1]->constant.get<Text>();
    if (text == nullptr) {
        return true;
    }
    std::string what;
    call.pattern = compile_regex(text->view, constant_regex_memory, what);
    if (call.pattern == nullptr) {
        error_ = {call.children[1]->position, std::move(what)};
        return false;
    }
    return true;
}

NodePtr Parser::has(const Token& name) {
    take();
    Nodes given;
    if (!arguments(given, ")")) {
        return nullptr;
    }
    if (given.size() != 1 || given[0]->kind != NodeKind::select) {
        return fail(name, "has() wants a field: has(a.b)");
    }
    given[0]->kind = NodeKind::has;
    return std::move(given[0]);
}

NodePtr Parser::macro(const Token& name, Macro macro, NodePtr range) {
    take();
    const auto& variable = now();
    if (variable.kind != TokenKind::identifier || is_reserved(variable.text) || !ahead(1).is(",")) {
        const std::string shown{name.text};
        return fail(variable, shown + "() wants a name first: list." + shown + "(x, ...)");
    }
    take();
    take();
    auto node = make(NodeKind::macro, name);
    node->macro = macro;
    node->children.push_back(std::move(range));
    node->slot = names_.size();
    names_.push_back(variable.text);
    slots_ = std::max(slots_, names_.size());
    const bool good = macro_body(*node);
    names_.pop_back();
    return good ? finished(std::move(node)) : nullptr;
}

bool Parser::macro_body(Node& node) {
    if (!arguments(node.children, ")")) {
        return false;
    }
    // The range is the first child; map() may have a filter before what it makes.
    const std::size_t most = node.macro == Macro::map ? 3 : 2;
    if (node.children.size() < 2 || node.children.size() > most) {
        error_ = {node.position,
                  node.macro == Macro::map ? "map() takes a name and one or two expressions"
                                           : "the macro takes a name and one expression"};
        return false;
    }
    return true;
}

}  // namespace sonde::probes::wire::cel

// What may be a host, and what libidn2 and the C library make of it.
#include "probes/url_host.hpp"

#include "probes/url_text.hpp"

#include <arpa/inet.h>
#include <idn2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>

namespace sonde::probes {

namespace {

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// An address as inet_ntop() writes it; empty when `text` is none of that family.
std::string canonical_address(int family, const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    // Both stop at a zero byte, behind which anything may hide.
    if (text.find('\0') != std::string::npos ||
        inet_pton(family, text.c_str(), address.data()) != 1) {
        return {};
    }
    return inet_ntop(family, address.data(), buffer.data(), buffer.size());
}

std::string to_a_labels(const std::string& host, std::string& error) {
    char* ascii = nullptr;
    const int result =
        idn2_to_ascii_8z(host.c_str(), &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    const std::unique_ptr<char, decltype(&std::free)> owned{ascii, &std::free};
    if (result != IDN2_OK) {
        error = std::string{"the host is no valid international name: "} + idn2_strerror(result);
        return {};
    }
    if (*owned == '\0') {
        error = "there is no host";  // it was of characters that IDN ignores
    }
    return owned.get();
}

bool check_name(std::string_view host, std::string& error) {
    constexpr std::size_t longest_name = 253;
    constexpr std::size_t longest_label = 63;
    if (host.ends_with('.')) {
        host.remove_suffix(1);
    }
    if (host.size() > longest_name) {
        error = "the host is longer than 253 characters";
        return false;
    }
    while (true) {
        const auto label = host.substr(0, host.find('.'));
        if (label.empty() || label.size() > longest_label) {
            error = label.empty() ? "the host has an empty label"
                                  : "the host has a label longer than 63 characters";
            return false;
        }
        if (!std::ranges::all_of(label,
                                 [](char c) { return is_url_alnum(c) || c == '-' || c == '_'; })) {
            error = "the host has a character that no name may have";
            return false;
        }
        if (label.size() == host.size()) {
            return true;
        }
        host.remove_prefix(label.size() + 1);
    }
}

}  // namespace

std::string parse_ipv6_literal(std::string_view text, std::string& error) {
    const auto percent = std::min(text.find('%'), text.size());
    auto address = canonical_address(AF_INET6, std::string{text.substr(0, percent)});
    if (address.empty()) {
        error = "the host in brackets is no IPv6 address";
        return {};
    }
    if (percent == text.size()) {
        return address;
    }
    // RFC 6874 has it as %25eth0; people write %eth0.
    auto zone = text.substr(percent + 1);
    if (zone.starts_with("25") && zone.size() > 2) {
        zone.remove_prefix(2);
    }
    const auto name = url_unescape(zone);
    if (name.empty() || !std::ranges::all_of(name, [](char c) {
            return is_url_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
        })) {
        error = "the zone of the IPv6 address is not the name of an interface";
        return {};
    }
    return address + '%' + name;
}

std::string parse_host_name(std::string_view text, std::string& error) {
    auto host = url_lower(url_unescape(text));
    if (host.find('\0') != std::string::npos) {
        error = "the host has a character that no name may have";
        return {};
    }
    if (!is_ascii(host)) {
        host = to_a_labels(host, error);
        if (host.empty()) {
            return {};
        }
    }
    if (!check_name(host, error)) {
        return {};
    }
    // A last label of digits is never a name (RFC 1123 section 2.1); resolvers take "127.1" or "1"
    // for addresses, each in its way.
    std::string_view last = host;
    last.remove_suffix(last.ends_with('.') ? 1 : 0);
    last.remove_prefix(last.rfind('.') + 1);
    if (std::ranges::all_of(last, is_url_digit)) {
        auto address = canonical_address(AF_INET, host);
        if (address.empty()) {
            error = "the host ends in a number but is no IPv4 address";
        }
        return address;
    }
    return host;
}

}  // namespace sonde::probes

// Go regroups a name: known attributes in a fixed order, several values of one joined by '+',
// unknown attributes behind them in the text.
#include "probes/wire/certificate_name.hpp"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace sonde::probes::wire {

namespace {

struct Known {
    int nid;
    std::string_view short_name;
    bool last_wins;  // Go keeps one value only
};

// The order of pkix.Name.ToRDNSequence; the text runs from its end to its beginning.
constexpr std::array<Known, 9> known_attributes{{{NID_countryName, "C", false},
                                                 {NID_stateOrProvinceName, "ST", false},
                                                 {NID_localityName, "L", false},
                                                 {NID_streetAddress, "STREET", false},
                                                 {NID_postalCode, "POSTALCODE", false},
                                                 {NID_organizationName, "O", false},
                                                 {NID_organizationalUnitName, "OU", false},
                                                 {NID_commonName, "CN", true},
                                                 {NID_serialNumber, "SERIALNUMBER", true}}};

std::string utf8(const ASN1_STRING* value) {
    unsigned char* text = nullptr;
    const int length = ASN1_STRING_to_UTF8(&text, value);
    if (length < 0) {
        return {};
    }
    std::string result{reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)};
    OPENSSL_free(text);
    return result;
}

std::string escaped(std::string_view value) {
    constexpr std::string_view special = ",+\"\\<>;";
    std::string result;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        const bool edge_blank = c == ' ' && (i == 0 || i + 1 == value.size());
        if (special.find(c) != std::string_view::npos || edge_blank || (c == '#' && i == 0)) {
            result += '\\';
        }
        result += c;
    }
    return result;
}

void append_hex(std::string& text, unsigned char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
}

// encoding/asn1 chooses PrintableString where it can and UTF8String elsewhere; '*' and '&' are not
// printable to it.
bool go_printable(std::string_view value) {
    constexpr std::string_view marks = "'()+,-./ :=?";
    return std::ranges::all_of(value, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               marks.find(c) != std::string_view::npos;
    });
}

std::string der_hex(std::string_view value) {
    std::string text = "#";
    append_hex(text, go_printable(value) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING);
    auto length = value.size();
    if (length < 0x80) {
        append_hex(text, static_cast<unsigned char>(length));
    } else {
        std::vector<unsigned char> bytes;
        for (; length > 0; length >>= 8U) {
            bytes.push_back(static_cast<unsigned char>(length & 0xffU));
        }
        append_hex(text, static_cast<unsigned char>(0x80U | bytes.size()));
        for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
            append_hex(text, *byte);
        }
    }
    for (const char c : value) {
        append_hex(text, static_cast<unsigned char>(c));
    }
    return text;
}

std::string dotted(const ASN1_OBJECT* object) {
    std::array<char, 128> buffer{};
    const int length = OBJ_obj2txt(buffer.data(), static_cast<int>(buffer.size()), object, 1);
    return length > 0 ? std::string{buffer.data()} : std::string{};
}

struct Attribute {
    int nid;
    const X509_NAME_ENTRY* entry;
};

std::vector<Attribute> attributes_of(const X509_NAME* name) {
    std::vector<Attribute> result;
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
        const auto* entry = X509_NAME_get_entry(name, i);
        result.push_back({OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), entry});
    }
    return result;
}

// The values of one known attribute, "OU=a+OU=b".
std::string known_text(const std::vector<Attribute>& attributes, const Known& known) {
    std::string result;
    for (const auto& attribute : attributes) {
        if (attribute.nid != known.nid) {
            continue;
        }
        const auto value = utf8(X509_NAME_ENTRY_get_data(attribute.entry));
        if (known.last_wins) {
            result.clear();
            if (value.empty()) {
                continue;
            }
        }
        result += result.empty() ? "" : "+";
        result += std::string{known.short_name} + '=' + escaped(value);
    }
    return result;
}

}  // namespace

std::string go_name(const X509_NAME* name) {
    const auto attributes = attributes_of(name);
    std::string result;
    const auto append = [&result](const std::string& text) {
        if (!text.empty()) {
            result += (result.empty() ? "" : ",") + text;
        }
    };
    for (auto known = known_attributes.rbegin(); known != known_attributes.rend(); ++known) {
        append(known_text(attributes, *known));
    }
    for (auto attribute = attributes.rbegin(); attribute != attributes.rend(); ++attribute) {
        const bool known = std::ranges::any_of(
            known_attributes, [&](const Known& entry) { return entry.nid == attribute->nid; });
        if (!known) {
            append(dotted(X509_NAME_ENTRY_get_object(attribute->entry)) + '=' +
                   der_hex(utf8(X509_NAME_ENTRY_get_data(attribute->entry))));
        }
    }
    return result;
}

}  // namespace sonde::probes::wire

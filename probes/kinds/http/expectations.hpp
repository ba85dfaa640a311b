// What an http check expects of an answer. Each expectation has a name, under which its verdict is
// exported, and all are judged (expectation_verdicts.cpp), not only the first that is not met.
#pragma once

#include "config/table.hpp"
#include "probes/failure.hpp"
#include "probes/result.hpp"
#include "probes/wire/patterns.hpp"
#include "probes/wire/status_set.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}  // namespace re2

namespace sonde::probes::http {

/// Expectations that have one name for all targets; patterns and header fields have their own.
enum class Expected : std::uint8_t {
    status,
    http_version,
    content_encoding,
    final_url,
    min_body,
    tls_version,
    tls_cipher,
    min_cert_validity,
    max_rtt,
    max_resolve,
    max_connect,
    max_tls,
    max_processing,
    max_transfer,
    count
};

[[nodiscard]] const LabelValues& label(Expected expected);

/// Of a field of the final response's header.
struct HeaderExpectation {
    LabelValues label;
    std::string field;                        // as it was written
    std::string lower_field;                  // for comparing
    std::shared_ptr<const re2::RE2> pattern;  // null: any value
    bool present = true;                      // some value of the field matches; false: none does
};

/// As settings name the versions of TLS, the lowest first.
inline constexpr std::array<std::string_view, 4> tls_version_words{"1.0", "1.1", "1.2", "1.3"};

/// Null: it does not compile, and `error` says why.
[[nodiscard]] std::shared_ptr<const re2::RE2> compile_pattern(const std::string& pattern,
                                                              std::string& error);

/// Names of expectations that are taken, and by what.
using ExpectationNames = std::map<std::string, std::string, std::less<>>;

struct Expectations {
    wire::StatusSet status;
    std::vector<HeaderExpectation> headers;
    std::shared_ptr<const wire::PatternSet> patterns;  // of the body; null: none
    std::vector<std::string> http_versions;            // "1.1"; empty: any
    std::vector<std::string> content_encodings;        // "br", "identity"; empty: any
    std::shared_ptr<const re2::RE2> final_url;         // null: any
    std::uint64_t min_body = 0;                        // decoded bytes
    std::vector<std::string> tls_versions;             // "1.3"; empty: any
    std::vector<std::string> tls_ciphers;              // as OpenSSL names them; empty: any
    Duration min_cert_validity{};                      // 0: not judged, as below
    Duration max_rtt{};
    std::array<Duration, static_cast<std::size_t>(Phase::other)> max_phase{};
};

/// Reads and documents the keys; `tls` is the table of the TLS settings; `taken` gets the names.
/// False when anything was wrong; what, is in the table's diagnostics.
[[nodiscard]] bool read_expectations(config::Table& table,
                                     config::Table& tls,
                                     Expectations& expectations,
                                     ExpectationNames& taken);

}  // namespace sonde::probes::http

// What the tests of the http kind share: one check run for real against a test server, and texts of
// responses.
#pragma once

#include "probes/result.hpp"
#include "probes/trace.hpp"

#include "tests/support/scripted_server.hpp"
#include "tests/support/test_ca.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::tests {

/// How one check is run. `settings`: the target's keys in TOML.
struct CheckOptions {
    std::string settings;
    std::chrono::milliseconds timeout = std::chrono::seconds(20);  // generous: only bugs meet it
    std::chrono::milliseconds
        shorter_each{};      // of several: by how much each has less than the one before
    std::string dns_server;  // "127.0.0.1:5353"; empty: none answers
    probes::Trace* trace = nullptr;
};

/// Long enough for all that comes before a silence, also under sanitizers on a busy machine.
constexpr std::chrono::milliseconds short_deadline{300};

/// Runs a check on an io_context of its own, cancelled at its deadline as Runner does it, and
/// returns what it came to. Wrong settings throw std::runtime_error.
[[nodiscard]] probes::ProbeResult check_site(const std::string& url,
                                             const CheckOptions& options = {});

/// The same, one check after the other in one world: connections and sessions stay. `between` is
/// called before each but the first.
[[nodiscard]] std::vector<probes::ProbeResult> check_site_repeatedly(
    const std::string& url,
    std::size_t count,
    const CheckOptions& options = {},
    const std::function<void()>& between = {});

/// All of them at the same time.
[[nodiscard]] std::vector<probes::ProbeResult> check_site_at_once(const std::string& url,
                                                                  std::size_t count,
                                                                  const CheckOptions& options = {});

/// Whether this machine has [::1].
[[nodiscard]] bool has_ipv6();

/// The phases that were measured, in order: "connect processing".
[[nodiscard]] std::string phases_of(const probes::ProbeResult& result);

/// The value of a labelled reading whose first label is `label`; -1 when there is none.
[[nodiscard]] double labelled(const probes::ProbeResult& result,
                              probes::Family family,
                              std::string_view label);

/// All label values of the first reading of a family; empty when there is none.
[[nodiscard]] std::vector<std::string> labels_of(const probes::ProbeResult& result,
                                                 probes::Family family);

/// Whether every part is in the detail. What is missing shows in the failing assertion.
[[nodiscard]] bool mentions(const std::string& detail,
                            std::initializer_list<std::string_view> parts);

/// A response with Content-Length. `fields`: lines that end in CRLF.
[[nodiscard]] std::string response(std::string_view body,
                                   std::string_view fields = "",
                                   std::string_view status = "200 OK");
/// A chunked response of these chunks.
[[nodiscard]] std::string chunked_response(const std::vector<std::string>& chunks,
                                           std::string_view fields = "");
[[nodiscard]] std::string redirect_to(std::string_view location,
                                      std::string_view status = "302 Found");
[[nodiscard]] std::string gzip(std::string_view text);

/// Reads one request, says this, and closes.
[[nodiscard]] Script answer(std::string bytes);
[[nodiscard]] Script tls_answer(const TlsScript& tls, std::string bytes);

/// `tls = { ca_file = ... }` for a CA written to `directory`.
[[nodiscard]] std::string trust(const TestCa& ca, const TempDir& directory);

}  // namespace sonde::tests

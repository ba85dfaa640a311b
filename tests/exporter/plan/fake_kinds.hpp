// Two kinds of probes for tests of the plan: "http" with a few keys of every type, and "ask", which
// has a key that must be given. Neither checks anything.
#pragma once

#include "probes/kinds/kinds.hpp"

#include <array>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::exporter::test {

class FakeProbe final : public probes::Probe {
public:
    std::vector<std::string> status{"2xx"};
    std::map<std::string, config::Text> headers;
    std::string read = "all";
    bool redirects = true;
    std::string ca;
    std::string server_name;
    std::string query;

    [[nodiscard]] boost::asio::awaitable<probes::ProbeResult> run(
        const probes::Env& /*env*/,
        const probes::Target& /*target*/,
        probes::Deadline /*deadline*/) const override {
        co_return probes::ProbeResult{};
    }
};

/// How often Kind::make was called.
inline int& makes() {
    static int count = 0;
    return count;
}

inline std::shared_ptr<const probes::Probe> make_http(config::Table& table) {
    static constexpr std::array<std::string_view, 2> words{"all", "until_decided"};
    ++makes();
    auto probe = std::make_shared<FakeProbe>();
    table.read({"status", "Good statuses."}, probe->status);
    table.read({"headers", "Request headers."}, probe->headers);
    table.read({"redirects", "Whether redirects are followed."}, probe->redirects);
    table.read_word({"read", "How much is read."}, probe->read, words);
    config::Table tls = table.sub({"tls", "TLS."});
    config::Text path;
    tls.read_file({"ca_file", "Certificates to trust."}, path, probe->ca);
    tls.read({"server_name", "The name that is asked for."}, probe->server_name);
    if (!probe->ca.empty() && probe->server_name == "forbidden") {
        tls.error("server_name", "does not go with ca_file");
        return nullptr;
    }
    return probe;
}

inline std::shared_ptr<const probes::Probe> make_ask(config::Table& table) {
    auto probe = std::make_shared<FakeProbe>();
    if (!table.read({"query", "What is asked."}, probe->query)) {
        if (!table.origin("query")) {
            table.error("query", "must be given");
        }
        return nullptr;
    }
    return probe;
}

inline std::string check_any(const probes::Url& /*url*/) {
    return {};
}

inline std::string check_ask(const probes::Url& url) {
    return url.request_target() == "/" ? "" : "must have no path";
}

inline std::span<const probes::Kind> fake_kinds() {
    static constexpr std::array<std::string_view, 2> http{"http", "https"};
    static constexpr std::array<std::string_view, 1> ask{"ask"};
    static const std::array<probes::Kind, 2> kinds{
        {{"http", http, "Web pages.", make_http, check_any},
         {"ask", ask, "Questions.", make_ask, check_ask}}};
    return kinds;
}

}  // namespace sonde::exporter::test

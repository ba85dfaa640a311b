// Reading (and documenting) of [server], [engine], [log] and [metrics].
#include "config/service.hpp"

#include "config/dns_server.hpp"
#include "config/inputs.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace sonde::config {

namespace {

constexpr std::array<std::string_view, 5> levels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> formats{"logfmt", "json"};

/// "host:port", "[v6]:port", ":port" or "unix:/path"; whether it can be bound is seen when it is.
bool is_address(std::string_view text) {
    if (text.starts_with("unix:")) {
        return text.size() > std::string_view{"unix:"}.size();
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return false;
    }
    const std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) {
        return false;
    }
    unsigned number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    return error == std::errc{} && end == port.data() + port.size() && number <= 65535;
}

Server read_server(Table table) {
    Server out;
    if (table.read({"listen",
                    "Addresses to serve HTTP on: `host:port`, `[v6]:port`, `:port` (all addresses) "
                    "or `unix:/path`."},
                   out.listen)) {
        for (const std::string& address : out.listen) {
            if (!is_address(address)) {
                table.error("listen",
                            "\"" + address +
                                R"(" must be "host:port", "[v6]:port", ":port" or "unix:/path")");
            }
        }
        if (out.listen.empty()) {
            table.error("listen", "must name at least one address");
        }
    }
    return out;
}

Engine read_engine(Table table, const std::string& directory) {
    Engine out;
    table.read({"workers", "Threads that run checks; 0: one for each core."}, out.workers, 0, 1024);
    table.read(
        {"max_in_flight", "Checks under way at once, in the whole process; more wait in order."},
        out.max_in_flight,
        1,
        1'000'000);
    table.read({"max_in_flight_per_host",
                "Checks under way at once against one host and port; more wait in order."},
               out.max_in_flight_per_host,
               1,
               1'000'000);
    if (table.read({"targets_dir",
                    "A directory, relative to this file: every `*.toml` in it that is not hidden "
                    "is read too, in "
                    "order of the names, for `[[target]]` and `[modules]`."},
                   out.targets_dir)) {
        if (out.targets_dir.empty()) {
            table.error("targets_dir", "must be the path of a directory");
        } else {
            out.targets_dir = absolute_path(directory, out.targets_dir);
        }
    }
    static_cast<void>(
        read_dns_servers(table,
                         {"dns_servers",
                          "Name servers that are asked instead of those of `/etc/resolv.conf`: an "
                          "IP address, with a "
                          "port when it is not 53 (`192.0.2.53:5353`, `[2001:db8::53]:5353`)."},
                         out.dns_servers));
    table.read(
        {"shutdown_grace",
         "How long checks under way may take to finish at the end; then they are cancelled."},
        out.shutdown_grace,
        std::chrono::seconds{0},
        std::chrono::hours{1});
    return out;
}

Log read_log(Table table) {
    Log out;
    table.read_word({"level", "The least important level that is written."}, out.level, levels);
    table.read_word({"format", "How a line is written."}, out.format, formats);
    return out;
}

Metrics read_metrics(Table table) {
    Metrics out;
    if (table.read({"rtt_buckets",
                    "Upper bounds in seconds of the buckets of `probe_rtt_seconds`, ascending. "
                    "Changing them empties the histograms."},
                   out.rtt_buckets)) {
        const bool positive =
            std::all_of(out.rtt_buckets.begin(), out.rtt_buckets.end(), [](double bound) {
                return std::isfinite(bound) && bound > 0;
            });
        const bool ascending =
            std::adjacent_find(
                out.rtt_buckets.begin(), out.rtt_buckets.end(), [](double left, double right) {
                    return !(left < right);
                }) == out.rtt_buckets.end();
        if (out.rtt_buckets.empty() || !positive) {
            table.error("rtt_buckets", "must be numbers of seconds above 0, at least one of them");
        } else if (!ascending) {
            table.error("rtt_buckets", "must be strictly ascending");
        }
    }
    table.read(
        {"extra", "Metric families beyond the default set, by name; docs/metrics.md marks them."},
        out.extra);
    return out;
}

}  // namespace

Service read_service(Table& root, const std::string& directory) {
    Service out;
    out.server = read_server(
        root.sub({"server", "Sonde's own HTTP server. Changes take effect at the next start."}));
    out.engine = read_engine(
        root.sub(
            {"engine",
             "How checks are run. But for `targets_dir`, changes take effect at the next start."}),
        directory);
    out.log = read_log(root.sub({"log", "What is logged, on standard error."}));
    out.metrics = read_metrics(root.sub({"metrics", "What is exported about every target."}));
    return out;
}

}  // namespace sonde::config

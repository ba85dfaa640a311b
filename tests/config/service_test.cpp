#include "config/service.hpp"

#include "tests/config/table_fixture.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace sonde::config;
using sonde::config::test::Documents;

TEST_CASE("an empty file gives the built-in service") {
    Documents documents;
    Table table = documents.table("");
    CHECK(read_service(table, "/etc/sonde") == Service{});
    CHECK(documents.diagnostics.ok());
}

TEST_CASE("all settings of the service are read") {
    Documents documents;
    Table table = documents.table(R"(
[server]
listen = ["0.0.0.0:9115", "[::]:9115", ":0", "unix:/run/sonde.sock", "localhost:80"]
[engine]
workers = 3
max_in_flight = 5
max_in_flight_per_host = 2
targets_dir = "targets.d"
dns_servers = ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"]
shutdown_grace = "1s"
[log]
level = "debug"
format = "json"
[metrics]
rtt_buckets = [0.1, 1]
extra = ["probe_ip_addr_hash"]
)");
    const Service service = read_service(table, "/etc/sonde");
    table.report_unknown();
    CHECK(documents.diagnostics.text() == "");
    CHECK(service.server.listen.size() == 5);
    CHECK(service.engine.workers == 3);
    CHECK(service.engine.max_in_flight == 5);
    CHECK(service.engine.max_in_flight_per_host == 2);
    CHECK(service.engine.targets_dir == "/etc/sonde/targets.d");
    CHECK(service.engine.dns_servers.size() == 4);
    CHECK(service.engine.shutdown_grace == 1s);
    CHECK(service.log == Log{"debug", "json"});
    CHECK(service.metrics == Metrics{{0.1, 1}, {"probe_ip_addr_hash"}});
}

TEST_CASE("addresses that cannot be meant are refused") {
    for (const std::string address : {"9115",
                                      "host",
                                      "host:",
                                      "host:x",
                                      "host:65536",
                                      "::1:80",
                                      "[]:80",
                                      "unix:",
                                      "",
                                      "a b:-1"}) {
        CAPTURE(address);
        Documents documents;
        Table table = documents.table("[server]\nlisten = '" + address + "'\n");
        (void)read_service(table, "/");
        CHECK(documents.diagnostics.all().size() == 1);
    }
}

TEST_CASE("name servers that cannot be meant are refused") {
    for (const std::string server : {"",
                                     "dns.example",
                                     "192.0.2",
                                     "192.0.2.53:",
                                     "192.0.2.53:0",
                                     "192.0.2.53:65536",
                                     "192.0.2.53:53x",
                                     "[2001:db8::53",
                                     "[2001:db8::53]5353",
                                     "[192.0.2.53]:53"}) {
        CAPTURE(server);
        Documents documents;
        Table table = documents.table("[engine]\ndns_servers = ['" + server + "']\n");
        (void)read_service(table, "/");
        REQUIRE(documents.diagnostics.all().size() == 1);
        CHECK(documents.diagnostics.text().find("must be an IP address") != std::string::npos);
    }
}

TEST_CASE("documentation mode lists every key with its type and default") {
    std::vector<KeyDoc> docs;
    Context context;
    context.docs = &docs;
    Table root{context, {}};
    (void)read_service(root, "");
    const auto find = [&](std::string_view path) {
        for (const KeyDoc& doc : docs) {
            if (doc.path == path) {
                return doc.type + " | " + doc.default_value;
            }
        }
        return std::string{"missing"};
    };
    CHECK(find("server") == "table | ");
    CHECK(find("server.listen") == R"(list of strings | ["0.0.0.0:9115"])");
    CHECK(find("engine.workers") == "integer, 0 to 1024 | 0");
    CHECK(find("engine.shutdown_grace") == R"(duration, 0s to 1h | "5s")");
    CHECK(find("log.format") == R"(one of "logfmt", "json" | "logfmt")");
    CHECK(find("metrics.rtt_buckets") ==
          "list of numbers | [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]");
    for (const KeyDoc& doc : docs) {
        CAPTURE(doc.path);
        CHECK_FALSE(doc.help.empty());
    }
}

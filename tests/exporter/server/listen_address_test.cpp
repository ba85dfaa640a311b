// Listen addresses: every form, unix socket files, and errors that name address and reason.
#include "exporter/server/listen_address.hpp"

#include "exporter/server/server.hpp"

#include "tests/exporter/server/http_client.hpp"
#include "tests/exporter/server/running_server.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace sonde::exporter;
using test::HttpClient;
using test::RunningServer;

namespace {

asio::awaitable<HttpResponse> hello() {
    HttpResponse response;
    response.body = "hello";
    co_return response;
}

std::string error_of(const std::string& address) {
    asio::io_context context{1};
    try {
        const auto listener = open_listener(context, address);
        return "it listens";
    } catch (const std::system_error& error) {
        return error.what();
    }
}

struct TemporaryFolder {
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "sonde-listen-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }

    ~TemporaryFolder() { fs::remove_all(path); }

    fs::path path;
};

}  // namespace

TEST_CASE("a server listens on IPv4, IPv6, names and all addresses") {
    for (const std::string address :
         {"127.0.0.1:0", "0.0.0.0:0", "localhost:0", "[::1]:0", "[::]:0"}) {
        CAPTURE(address);
        RunningServer server([](const HttpRequest&) { return hello(); }, {}, address);
        CHECK_FALSE(server.address().ends_with(":0"));
        HttpClient client(server.address());
        CHECK(client.get("/").body == "hello");
    }
    RunningServer everywhere([](const HttpRequest&) { return hello(); }, {}, ":0");
    const auto port = everywhere.address().substr(everywhere.address().rfind(':'));
    CHECK(HttpClient("127.0.0.1" + port).get("/").body == "hello");
    CHECK(HttpClient("[::1]" + port).get("/").body == "hello");
}

TEST_CASE("the IPv4 and the IPv6 wildcard address can be listened on together") {
    asio::io_context context{1};
    HttpServer server(context, [](const HttpRequest&) { return hello(); }, {});
    const auto v4 = server.listen("0.0.0.0:0");
    const auto port = v4.substr(v4.rfind(':'));
    CHECK(server.listen("[::]" + port) == "[::]" + port);
}

TEST_CASE("errors of listening name the address and the reason") {
    asio::io_context context{1};
    const auto taken = open_listener(context, "127.0.0.1:0").address;
    const auto holder = open_listener(context, taken);
    CHECK(error_of(taken) == "cannot listen on " + taken + ": Address already in use");
    CHECK(error_of("192.0.2.1:0") ==
          "cannot listen on 192.0.2.1:0: Cannot assign requested address");
    CHECK(error_of("host.invalid:80").starts_with("cannot listen on host.invalid:80: "));
    CHECK(error_of("unix:/nowhere/at/all.sock") ==
          "cannot listen on unix:/nowhere/at/all.sock: No such file or directory");
    const auto long_path = "unix:/" + std::string(200, 'x');
    CHECK(error_of(long_path) == "cannot listen on " + long_path + ": File name too long");
    for (const std::string bad : {"",
                                  "9115",
                                  "host",
                                  "host:",
                                  "host:port",
                                  "host:70000",
                                  "host:-1",
                                  "host:80x",
                                  "::1:80",
                                  "[::1]",
                                  "[]:80",
                                  "[::1:80",
                                  "unix:"}) {
        CAPTURE(bad);
        CHECK(error_of(bad).starts_with("cannot listen on \"" + bad + "\": expected "));
    }
}

TEST_CASE("a unix socket serves, is not stolen, and its file goes with the server") {
    const TemporaryFolder folder;
    const auto file = folder.path / "sonde.sock";
    const auto address = "unix:" + file.string();
    {
        RunningServer server([](const HttpRequest&) { return hello(); }, {}, address);
        CHECK(server.address() == address);
        HttpClient client(address);
        CHECK(client.get("/").body == "hello");
        CHECK(client.get("/").body == "hello");
        CHECK(error_of(address) == "cannot listen on " + address + ": Address already in use");
        CHECK(fs::is_socket(file));
    }
    CHECK_FALSE(fs::exists(file));
}

TEST_CASE("a stale socket file is replaced, any other file is left alone") {
    const TemporaryFolder folder;
    const auto file = folder.path / "sonde.sock";
    const auto address = "unix:" + file.string();
    const auto keep = folder.path / "keep.sock";
    {
        asio::io_context context{1};
        const auto listener = open_listener(context, address);
        fs::create_hard_link(file, keep);  // outlives the listener, as after a crash
    }
    fs::rename(keep, file);
    REQUIRE(fs::is_socket(file));
    {
        RunningServer server([](const HttpRequest&) { return hello(); }, {}, address);
        CHECK(HttpClient(address).get("/").body == "hello");
    }
    std::ofstream(file) << "precious";
    CHECK(error_of(address) == "cannot listen on " + address + ": Address already in use");
    CHECK(fs::file_size(file) == 8);
}

TEST_CASE("a socket file that another process has replaced is not removed") {
    const TemporaryFolder folder;
    const auto file = folder.path / "sonde.sock";
    {
        asio::io_context context{1};
        const auto listener = open_listener(context, "unix:" + file.string());
        fs::remove(file);
        std::ofstream(file) << "other";
    }
    CHECK(fs::exists(file));
}

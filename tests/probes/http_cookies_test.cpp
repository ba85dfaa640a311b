// Cookies over the redirects of one check.
#include "tests/probes/http_fixture.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;

namespace {

Script login(const std::string& fields) {
    return answer(response("", "Location: /home\r\n" + fields, "302 Found"));
}

}  // namespace

TEST_CASE("what a redirect sets goes to where it leads, and ends with the check") {
    ScriptedServer server(
        {login("Set-Cookie: session=1; Path=/\r\nSet-Cookie: other=2; Path=/x\r\n"),
         answer(response("home"))});
    const auto results = check_site_repeatedly(server.url(), 2);
    CHECK(results[0].success());
    const auto seen = server.finished(3);
    CHECK(seen[0].received.find("Cookie") == std::string::npos);
    CHECK(seen[1].received.find("\r\nCookie: session=1\r\n") != std::string::npos);
    CHECK(seen[2].received.find("Cookie") == std::string::npos);
}

TEST_CASE("cookies of the settings come first, in the same field") {
    ScriptedServer server({login("Set-Cookie: session=1\r\n"), answer(response("home"))});
    const ProbeResult result =
        check_site(server.url(), {.settings = "headers = { Cookie = \"a=b\" }\n"});
    CHECK(result.success());
    CHECK(server.finished(2)[1].received.find("\r\nCookie: a=b; session=1\r\n") !=
          std::string::npos);
}

TEST_CASE("cookies can be refused") {
    ScriptedServer server({login("Set-Cookie: session=1\r\n"), answer(response("home"))});
    const ProbeResult result = check_site(server.url(), {.settings = "cookies = false\n"});
    CHECK(result.success());
    CHECK(server.finished(2)[1].received.find("Cookie") == std::string::npos);
}

TEST_CASE("another host sees neither the cookies of the settings nor those that were set") {
    ScriptedServer elsewhere({answer(response("there"))});
    ScriptedServer server(
        {answer(response("",
                         "Location: http://localhost:" + std::to_string(elsewhere.port()) +
                             "/\r\nSet-Cookie: session=1\r\n",
                         "302 Found"))});
    const ProbeResult result =
        check_site(server.url(), {.settings = "headers = { Cookie = \"a=b\" }\n"});
    CHECK(result.success());
    CHECK(elsewhere.finished()[0].received.find("Cookie") == std::string::npos);
}

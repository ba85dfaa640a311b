// What the debug page does not show of a check.
#include "exporter/web/hide_private.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sonde;  // NOLINT(google-build-using-namespace)

namespace {

exporter::Job job(const std::string& url, const std::string& masked = {}) {
    std::string error;
    exporter::Job out;
    out.target.url = probes::Url::parse(url, error).value();
    out.shown_url = masked;
    return out;
}

probes::Trace trace() {
    probes::Trace out;
    for (const char* url :
         {"https://a.test/first?key=hush", "https://b.test:8443/next?code=hush"}) {
        out.hops.emplace_back().url = url;
    }
    out.hops[1].was_redirected_to = true;
    out.hops[0].headers = {{"Set-Cookie", "session=hush; Path=/; HttpOnly"},
                           {"set-cookie", "hush"},
                           {"Location", "https://b.test:8443/next?code=hush"},
                           {"Content-Location", "/next#hush"},
                           {"X-CSRF-Token", "hush"},
                           {"X-Api-Key", "hush"},
                           {"Server", "nginx"},
                           {"WWW-Authenticate", "Basic realm=\"shop\""}};
    return out;
}

std::string all(const probes::Trace& trace) {
    std::string out;
    for (const probes::TraceHop& hop : trace.hops) {
        out += hop.url + "\n";
        for (const auto& [name, value] : hop.headers) {
            out += name + ": " + value + "\n";
        }
    }
    return out;
}

}  // namespace

TEST_CASE("hide private: what a server gave this check alone") {
    probes::Trace seen = trace();
    exporter::hide_private(seen, job("https://a.test/first"));
    CHECK(all(seen) ==
          "https://a.test/first\n"
          "Set-Cookie: session=<hidden>; Path=/; HttpOnly\n"
          "set-cookie: <hidden>\n"
          "Location: https://b.test:8443/next?<hidden>\n"
          "Content-Location: /next#<hidden>\n"
          "X-CSRF-Token: <hidden>\n"
          "X-Api-Key: <hidden>\n"
          "Server: nginx\n"
          "WWW-Authenticate: Basic realm=\"shop\"\n"
          "https://b.test:8443/next?<hidden>\n");
}

TEST_CASE("hide private: of a secret url only origins stay, in redirects too") {
    probes::Trace seen = trace();
    exporter::hide_private(seen, job("https://a.test/first?key=hush", "https://a.test/<secret>"));
    const std::string text = all(seen);
    CHECK(text.find("hush") == std::string::npos);
    CHECK(text.find("/next") == std::string::npos);
    CHECK(seen.hops[0].url == "https://a.test/<secret>");
    CHECK(seen.hops[1].url == "https://b.test:8443/<secret>");
    CHECK(exporter::shown_url(job("https://u:p@a.test/x")) == "https://a.test/x");
}

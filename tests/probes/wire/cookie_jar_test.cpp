// CookieJar: what a host may set and what the next request of the chain sends.
#include "probes/wire/cookie_jar.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

using sonde::probes::wire::CookieJar;

namespace {

constexpr std::int64_t now = 1'700'000'000;  // 2023-11-14 22:13:20 UTC

struct Jar {
    CookieJar jar;

    /// What https://`host``path` is sent.
    [[nodiscard]] std::string at(std::string_view host, std::string_view path = "/a/b") const {
        return jar.header(host, path, true);
    }

    [[nodiscard]] std::string home() const { return at("www.shop.example"); }
};

/// Once https://`host``path` has set `fields`. (A function: braces in the braces of a constructor
/// can be the two ends of one string_view.)
Jar after(std::initializer_list<std::string_view> fields,
          std::string_view host = "www.shop.example",
          std::string_view path = "/a/b") {
    Jar result;
    for (const auto field : fields) {
        result.jar.store(field, host, path, true, now);
    }
    return result;
}

}  // namespace

TEST_CASE("cookies: names and values as they were set, in order of creation") {
    CHECK(after({"a=1", "b=2; HttpOnly; SameSite=Strict", " c = \"x y\" ;"}).home() ==
          "a=1; b=2; c=\"x y\"");
    CHECK(after({"a==b=", "e=", "t=x\ty"}).home() == "a==b=; e=; t=x\ty");
    CHECK(after({"u=\xc3\xa4"}).home() == "u=\xc3\xa4");

    auto jar = after({"a=1", "b=2", "a=3"});
    CHECK(jar.home() == "a=3; b=2");
    CHECK_FALSE(jar.jar.empty());
    jar.jar.clear();
    CHECK(jar.jar.empty());
    CHECK(jar.home().empty());
}

TEST_CASE("cookies: what is none") {
    for (const std::string_view field : {"", "a", "=1", " =1", ";a=1", "; Path=/", "   "}) {
        CAPTURE(field);
        CHECK(after({field}).jar.empty());
    }
}

TEST_CASE("cookies: control characters set nothing") {
    for (int c = 0; c < 0x80; ++c) {
        CAPTURE(c);
        const bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
        const std::string byte(1, static_cast<char>(c));
        CHECK(after({"a=x" + byte + "y"}).jar.empty() != allowed);
        CHECK(after({"a=x; Path=/" + byte}).jar.empty() != allowed);
    }
}

TEST_CASE("cookies: limits") {
    const std::string longest(CookieJar::max_bytes - 1, 'v');
    CHECK_FALSE(after({"a=" + longest}).jar.empty());
    CHECK(after({"a=" + longest + 'v'}).jar.empty());
    // An overlong attribute is as if it were not there.
    CHECK(after({"a=1; Path=/" + std::string(1024, 'p')}).at("www.shop.example", "/a/") == "a=1");

    CookieJar jar;
    for (std::size_t i = 0; i < CookieJar::max_cookies + 10; ++i) {
        jar.store("n" + std::to_string(i) + "=1", "h.example", "/", true, now);
    }
    const auto full = jar.header("h.example", "/", true);
    CHECK(full.ends_with("; n49=1"));
    jar.store("n3=2", "h.example", "/", true, now);
    CHECK(jar.header("h.example", "/", true).find("n3=2;") != std::string::npos);
    jar.store("n3=; Max-Age=0", "h.example", "/", true, now);
    jar.store("last=1", "h.example", "/", true, now);
    jar.store("over=1", "h.example", "/", true, now);
    CHECK(jar.header("h.example", "/", true).ends_with("; n49=1; last=1"));
}

TEST_CASE("cookies: without Domain they are the host's alone") {
    const auto jar = after({"a=1", "b=2; Domain=", "c=3; Domain=."});
    CHECK(jar.home() == "a=1; b=2; c=3");
    CHECK(jar.at("shop.example").empty());
    CHECK(jar.at("x.www.shop.example").empty());
    CHECK(jar.at("WWW.shop.example.evil").empty());
}

TEST_CASE("cookies: Domain") {
    for (const std::string_view domain : {"shop.example", ".shop.example", "SHOP.Example"}) {
        CAPTURE(domain);
        const auto jar = after({"a=1; Domain=" + std::string{domain}});
        CHECK(jar.home() == "a=1");
        CHECK(jar.at("shop.example") == "a=1");
        CHECK(jar.at("x.y.shop.example") == "a=1");
        CHECK(jar.at("workshop.example").empty());
        CHECK(jar.at("example").empty());
    }
    for (const std::string_view domain : {"other.example",
                                          "x.www.shop.example",
                                          "ww.shop.example",
                                          "op.example",
                                          "..shop.example",
                                          "shop.example.",
                                          "example"}) {
        CAPTURE(domain);
        CHECK(after({"a=1; Domain=" + std::string{domain}}).jar.empty());
    }
    // The last one counts, and an empty one not at all.
    CHECK(after({"a=1; Domain=other.example; Domain=shop.example; Domain="}).at("shop.example") ==
          "a=1");
    // A host's own cookie and the domain's are two.
    CHECK(after({"a=1", "a=2; Domain=www.shop.example"}).home() == "a=1; a=2");
}

TEST_CASE("cookies: public suffixes") {
    CHECK(after({"a=1; Domain=co.uk"}, "www.shop.co.uk").jar.empty());
    CHECK(after({"a=1; Domain=uk"}, "www.shop.co.uk").jar.empty());
    CHECK(after({"a=1; Domain=com"}, "shop.com").jar.empty());
    CHECK(after({"a=1; Domain=github.io"}, "me.github.io").jar.empty());
    CHECK(after({"a=1; Domain=xn--p1ai"}, "a.xn--p1ai").jar.empty());
    CHECK(after({"a=1; Domain=shop.co.uk"}, "www.shop.co.uk").at("shop.co.uk") == "a=1");
    // The suffix itself may have cookies, for itself (section 5.3 step 5); so may "localhost".
    const auto suffix = after({"a=1; Domain=github.io"}, "github.io");
    CHECK(suffix.at("github.io") == "a=1");
    CHECK(suffix.at("me.github.io").empty());
    const auto local = after({"a=1; Domain=localhost"}, "localhost");
    CHECK(local.at("localhost") == "a=1");
    CHECK(local.at("x.localhost").empty());
}

TEST_CASE("cookies: IP addresses have no domains") {
    const auto four =
        after({"a=1", "b=2; Domain=192.0.2.1", "c=3; Domain=0.2.1", "d=4; Domain=1"}, "192.0.2.1");
    CHECK(four.at("192.0.2.1") == "a=1; b=2");
    CHECK(four.at("9.192.0.2.1").empty());
    const auto six = after({"a=1", "b=2; Domain=2001:db8::1"}, "2001:db8::1");
    CHECK(six.at("2001:db8::1") == "a=1; b=2");
    CHECK(six.at("2001:db8::2").empty());
    // A domain's cookie does not reach an address that ends alike.
    CHECK(after({"a=1; Domain=b.2"}, "a.b.2").jar.empty());
}

TEST_CASE("cookies: default path") {
    struct Row {
        std::string_view path;
        std::string_view good;
        std::string_view bad;
    };

    for (const auto& row : {Row{"/a/b", "/a", "/"},
                            Row{"/a/b", "/a/x/y?q", "/ab"},
                            Row{"/a/b?c=/d/e/f", "/a/z", "/b"},
                            Row{"/a/b/", "/a/b", "/a/c"}}) {
        CAPTURE(row.path);
        const auto jar = after({"a=1"}, "h.example", row.path);
        CHECK(jar.at("h.example", row.good) == "a=1");
        CHECK(jar.at("h.example", row.bad).empty());
    }
    for (const std::string_view path : {"", "/", "/a", "?q=/x/y", "x/y", "*"}) {
        CAPTURE(path);
        const auto jar = after({"a=1"}, "h.example", path);
        CHECK(jar.at("h.example", "/") == "a=1");
        CHECK(jar.at("h.example", "") == "a=1");
        CHECK(jar.at("h.example", "/any/where") == "a=1");
    }
}

TEST_CASE("cookies: Path") {
    const auto jar =
        after({"a=1; Path=/x", "b=2; Path=/x/", "c=3; path=/", "d=4; Path=rel", "e=5; Path="});
    CHECK(jar.at("www.shop.example", "/x") == "a=1; c=3");
    CHECK(jar.at("www.shop.example", "/x?/") == "a=1; c=3");
    CHECK(jar.at("www.shop.example", "/x/y") == "b=2; a=1; c=3");
    CHECK(jar.at("www.shop.example", "/xy") == "c=3");
    CHECK(jar.at("www.shop.example", "/X") == "c=3");
    CHECK(jar.at("www.shop.example", "/a/q") == "d=4; e=5; c=3");
    CHECK(after({"a=1; Path=/x; Path=/y"}).at("www.shop.example", "/y") == "a=1");
    // Of one name there may be several, the nearer first, and each keeps its place when set again.
    auto several = after({"a=root; Path=/", "a=near; Path=/a", "z=1; Path=/a"});
    several.jar.store("a=again; Path=/a", "www.shop.example", "/", true, now);
    CHECK(several.home() == "a=again; z=1; a=root");
}

TEST_CASE("cookies: Secure") {
    CookieJar jar;
    jar.store("s=1; SECURE", "h.example", "/", true, now);
    jar.store("p=2", "h.example", "/", true, now);
    CHECK(jar.header("h.example", "/", true) == "s=1; p=2");
    CHECK(jar.header("h.example", "/", false) == "p=2");
    // RFC 6265bis: without TLS none is set, replaced, hidden or removed.
    jar.store("n=3; Secure", "h.example", "/", false, now);
    jar.store("s=evil", "h.example", "/", false, now);
    jar.store("s=evil; Path=/deeper", "h.example", "/", false, now);
    jar.store("s=; Max-Age=0", "h.example", "/", false, now);
    CHECK(jar.header("h.example", "/deeper", true) == "s=1; p=2");
    jar.store("p=4", "h.example", "/", false, now);
    CHECK(jar.header("h.example", "/", true) == "s=1; p=4");
    jar.store("s=5", "h.example", "/", true, now);
    CHECK(jar.header("h.example", "/", false) == "s=5; p=4");

    CookieJar wide;
    wide.store("s=1; Secure; Domain=shop.example", "shop.example", "/", true, now);
    wide.store("s=evil", "www.shop.example", "/", false, now);
    CHECK(wide.header("www.shop.example", "/", true) == "s=1");
}

TEST_CASE("cookies: Max-Age and Expires") {
    const std::string past = "Expires=Tue, 14 Nov 2023 22:13:20 GMT";
    const std::string future = "Expires=Tue, 14 Nov 2023 22:13:21 GMT";
    for (const std::string& over : {std::string{"Max-Age=0"},
                                    std::string{"max-age=000"},
                                    std::string{"Max-Age=-1"},
                                    std::string{"Max-Age=-99999999999999999999999"},
                                    std::string{"Max-Age=5; Max-Age=0"},
                                    past,
                                    std::string{"expires=Thu, 01-Jan-1970 00:00:00 GMT"},
                                    past + "; Max-Age=x",
                                    future + "; Max-Age=0",
                                    past + "; Expires=never"}) {
        CAPTURE(over);
        CHECK(after({"a=1; " + over}).jar.empty());
        CHECK(after({"a=1", "b=2", "a=; " + over}).home() == "b=2");
        CHECK(after({"a=1", "a=; Path=/other; " + over}).home() == "a=1");
        CHECK(after({"a=1", "a=; Domain=shop.example; " + over}).home() == "a=1");
    }
    for (const std::string& good : {std::string{"Max-Age=1"},
                                    std::string{"Max-Age=99999999999999999999999"},
                                    std::string{"Max-Age="},
                                    std::string{"Max-Age=-"},
                                    std::string{"Max-Age=+0"},
                                    std::string{"Max-Age=0.0"},
                                    std::string{"Max-Age=0; Max-Age=5"},
                                    future,
                                    std::string{"Expires=never"},
                                    past + "; Max-Age=5"}) {
        CAPTURE(good);
        CHECK(after({"a=1; " + good}).home() == "a=1");
    }
}

TEST_CASE("cookies: prefixes of names") {
    CHECK(after({"__Secure-a=1; Secure"}).home() == "__Secure-a=1");
    CHECK(after({"__Host-a=1; Secure; Path=/"}).home() == "__Host-a=1");
    for (const std::string_view field : {"__Secure-a=1",
                                         "__SECURE-a=1",
                                         "__Host-a=1",
                                         "__Host-a=1; Path=/",
                                         "__Host-a=1; Secure",
                                         "__Host-a=1; Secure; Path=/a",
                                         "__host-a=1; Secure; Path=/; Domain=www.shop.example"}) {
        CAPTURE(field);
        CHECK(after({field}).jar.empty());
    }
    // A path that only happens to be the root is not asked for.
    CHECK(after({"__Host-a=1; Secure"}, "h.example", "/").jar.empty());
    CHECK(after({"__Hostile=1", "_Secure-=2"}).home() == "__Hostile=1; _Secure-=2");
    CookieJar plain;
    plain.store("__Secure-a=1; Secure", "h.example", "/", false, now);
    CHECK(plain.empty());
}

// Url: the examples of RFC 3986, URLs as people write them, and what is refused without giving
// secrets away.
#include "probes/url.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using sonde::probes::Url;

namespace {

Url good(std::string_view text) {
    std::string error;
    auto url = Url::parse(text, error);
    CAPTURE(text);
    CHECK(error.empty());
    REQUIRE(url);
    return *url;
}

std::string error_of(std::string_view text) {
    std::string error;
    CAPTURE(text);
    CHECK_FALSE(Url::parse(text, error));
    CHECK_FALSE(error.empty());
    return error;
}

std::string resolved(std::string_view base, std::string_view reference) {
    std::string error;
    const auto url = good(base).resolve(reference, error);
    return url ? url->show() : "error: " + error;
}

}  // namespace

TEST_CASE("url: parts") {
    const auto url = good("HTTPS://User:pa%20ss@Shop.Example:8443/a/b;c?d=e&f#frag");
    CHECK(url.scheme() == "https");
    CHECK(url.userinfo() == "User:pa%20ss");
    CHECK(url.host() == "shop.example");
    CHECK(url.port() == 8443);
    CHECK(url.request_target() == "/a/b;c?d=e&f");
    CHECK(url.host_header() == "shop.example:8443");
    CHECK(url.show() == "https://shop.example:8443/a/b;c?d=e&f");
    CHECK(good("https://a/") == good("HTTPS://A:443"));
    CHECK_FALSE(good("https://a/") == good("https://u@a/"));
    CHECK_FALSE(good("https://a/") == good("https://a/b"));
    CHECK(Url{}.host().empty());
    CHECK(Url{}.userinfo().empty());
}

TEST_CASE("url: ports") {
    CHECK(good("http://a").port() == 80);
    CHECK(good("https://a").port() == 443);
    CHECK(good("ws://a").port() == 80);
    CHECK(good("wss://a").port() == 443);
    CHECK(good("tcp://a").port() == 0);
    CHECK(good("tcp://a:22").port() == 22);
    CHECK(good("http://a:").port() == 80);
    CHECK(good("http://a:00081/").port() == 81);
    CHECK(good("http://a:65535/").port() == 65535);
    CHECK(good("http://a:80/").host_header() == "a");
    CHECK(good("http://a:80/").show() == "http://a/");
    CHECK(good("https://a:80/").host_header() == "a:80");
    for (const std::string port : {"0",
                                   "00",
                                   "65536",
                                   "99999999999999999999",
                                   "-1",
                                   "+80",
                                   "8 0",
                                   "http",
                                   "80:80",
                                   "0x50"}) {
        CHECK(error_of("http://a:" + port + "/") == "the port is not a number from 1 to 65535");
    }
}

TEST_CASE("url: paths and queries") {
    CHECK(good("http://a").request_target() == "/");
    CHECK(good("http://a?q").request_target() == "/?q");
    CHECK(good("http://a#f").request_target() == "/");
    CHECK(good("http://a?").request_target() == "/?");
    CHECK(good("tcp://a:1").show() == "tcp://a:1");
    CHECK(good("tcp://a:1").request_target() == "/");
    CHECK(good("grpc://a:1/service").request_target() == "/service");
    CHECK(good("http://a/x/../y/./z").request_target() == "/x/../y/./z");
    CHECK(good("http://a//b//").request_target() == "//b//");
    CHECK(good("http://a/b c").request_target() == "/b%20c");
    CHECK(good("http://a/%41%zz%4").request_target() == "/%41%25zz%254");
    CHECK(good("http://a/\xc3\xa9|{}[]\"<>\\^`").request_target() ==
          "/%C3%A9%7C%7B%7D%5B%5D%22%3C%3E%5C%5E%60");
    CHECK(good("http://a/!$&'()*+,;=:@-._~").request_target() == "/!$&'()*+,;=:@-._~");
    CHECK(good("http://a/?|{}[]\"<>^`%zz%41+?/:@'").request_target() ==
          "/?|{}[]\"<>^`%zz%41+?/:@'");
    CHECK(good("http://a/?b c\xc3\xa9").request_target() == "/?b%20c%C3%A9");
    CHECK(good("http://a/:80?@b").host() == "a");
}

TEST_CASE("url: userinfo stays out of sight") {
    const auto url = good("http://user:p@ss:w|rd@a/");
    CHECK(url.userinfo() == "user:p%40ss:w%7Crd");
    CHECK(url.host() == "a");
    CHECK(url.show() == "http://a/");
    CHECK(url.host_header() == "a");
    CHECK(good("http://@a/").userinfo().empty());
    for (const std::string text : {"http://user:secret@",
                                   "http://user:secret@/",
                                   "http://user:secret/x@host/",
                                   "http://user:secret@[::1",
                                   "http://user:secret@a:0",
                                   "http://user:secret@a..b",
                                   "http://user:secret@a b",
                                   "user:secret@host",
                                   "http:/user:secret@host",
                                   "http://user:secret@host:secret",
                                   "http://secret secret@\x01",
                                   " secret",
                                   "http://u:secret@1.2.3",
                                   "http://u:secret@[fe80::1%!]"}) {
        CHECK(error_of(text).find("secret") == std::string::npos);
    }
}

TEST_CASE("url: names") {
    CHECK(good("http://my_host.local./").host() == "my_host.local.");
    CHECK(good("http://my_host.local./").host_header() == "my_host.local.");
    CHECK(good("http://ex%61mple/").host() == "example");
    CHECK(good("http://xn--bcher-kva.example/").host() == "xn--bcher-kva.example");
    CHECK(good("http://a-1.0b/").host() == "a-1.0b");
    const std::string label(63, 'x');
    CHECK(good("http://" + label + "/").host() == label);
    CHECK(error_of("http://" + label + "x/") == "the host has a label longer than 63 characters");
    const auto longest = label + '.' + label + '.' + label + '.' + std::string(61, 'x');
    CHECK(good("http://" + longest + "./").host() == longest + '.');
    CHECK(error_of("http://" + longest + "x/") == "the host is longer than 253 characters");
    for (const std::string host : {"a..b", ".a", ".", "a.."}) {
        CHECK(error_of("http://" + host + "/") == "the host has an empty label");
    }
    for (const std::string host :
         {"a b", "a*b", "a%20b", "a%00b", "a,b", "a%2fb", "a%40b", "a|b", "a%zz", "a]"}) {
        CHECK(error_of("http://" + host + "/") == "the host has a character that no name may have");
    }
    for (const std::string text :
         {"http://", "http:///path", "http://:80/", "http://?q", "http://u@/"}) {
        CHECK(error_of(text) == "there is no host");
    }
}

TEST_CASE("url: international names") {
    CHECK(good("http://b\xc3\xbc"
               "cher.example/")
              .host() == "xn--bcher-kva.example");
    CHECK(good("http://B\xc3\x9c"
               "CHER.example/")
              .host() == "xn--bcher-kva.example");
    CHECK(good("http://b%C3%BCcher.example/").host_header() == "xn--bcher-kva.example");
    CHECK(good("http://stra\xc3\x9f"
               "e.example/")
              .host() == "xn--strae-oqa.example");  // not "strasse"
    CHECK(
        good("https://\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80\xd1\x84/").show() ==
        "https://xn--e1afmkfd.xn--p1ai/");
    CHECK(good("http://a\xe3\x80\x82"
               "b/")
              .host() == "a.b");  // ideographic full stop
    CHECK(good("http://\xef\xbc\x91.\xef\xbc\x91.1.1/").host() == "1.1.1.1");  // full-width digits
    CHECK_FALSE(error_of("http://a\xef\xbc\x8f"
                         "b/")
                    .empty());  // full-width solidus
    CHECK_FALSE(error_of("http://\xff\xfe/").empty());
    CHECK_FALSE(error_of("http://\xe2\x80\x8b/").empty());  // only a zero-width space
    CHECK(error_of("http://\xd0\xb0\xcc\x88-\xe2\x88\x9e\xef\xb7\xbf/")
              .starts_with("the host is no valid international name: "));
}

TEST_CASE("url: addresses") {
    CHECK(good("http://127.0.0.1:9115/").host() == "127.0.0.1");
    for (const std::string host :
         {"1", "127.1", "1.2.3", "256.1.1.1", "1.2.3.4.5", "a.1", "01.2.3.4", "1.2.3.4."}) {
        CHECK(error_of("http://" + host + "/") ==
              "the host ends in a number but is no IPv4 address");
    }
    const auto url = good("http://[2001:DB8:0:0::1]:8080/x");
    CHECK(url.host() == "2001:db8::1");
    CHECK(url.host_header() == "[2001:db8::1]:8080");
    CHECK(url.show() == "http://[2001:db8::1]:8080/x");
    CHECK(url.port() == 8080);
    CHECK(good("http://u:p@[::1]/").userinfo() == "u:p");
    CHECK(good("http://[::ffff:1.2.3.4]/").host() == "::ffff:1.2.3.4");
    for (const std::string text : {"http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/"}) {
        const auto zoned = good(text);
        CHECK(zoned.host() == "fe80::1%eth0");
        CHECK(zoned.host_header() == "[fe80::1]");
        CHECK(zoned.show() == "http://[fe80::1%25eth0]/");
        std::string error;
        CHECK(zoned.resolve("/a", error)->host() == "fe80::1%eth0");
    }
    CHECK(good("http://[fe80::1%2]/").host() == "fe80::1%2");
    for (const std::string host : {"[]",
                                   "[::1",
                                   "[1.2.3.4]",
                                   "[::1%]",
                                   "[::1%25]x",
                                   "[::g]",
                                   "[v1.x]",
                                   "[::1]x",
                                   "[::1%a/b]",
                                   "[::1%a b]",
                                   "[1:2:3:4:5:6:7:8:9]"}) {
        CHECK_FALSE(error_of("http://" + host).empty());
    }
    CHECK(error_of("http://::1/") == "there is no host");
}

TEST_CASE("url: what is none") {
    CHECK(error_of("") == "the URL has no scheme such as https://");
    CHECK(error_of("shop.example/a") == "the URL has no scheme such as https://");
    CHECK(error_of("//shop.example") == "the URL has no scheme such as https://");
    CHECK(error_of("1http://a") == "the URL has no scheme such as https://");
    CHECK(error_of("ht_tp://a") == "the URL has no scheme such as https://");
    CHECK(error_of("localhost:8080") == "there is no \"//\" and host behind the scheme");
    CHECK(error_of("mailto:a@b") == "there is no \"//\" and host behind the scheme");
    CHECK(error_of("http:/a") == "there is no \"//\" and host behind the scheme");
    CHECK(error_of(" http://a") == "the URL has a blank at its start or end");
    CHECK(error_of("http://a ") == "the URL has a blank at its start or end");
    for (const std::string text :
         {"http://a/\r\nX: y", "http://a\tb/", "http://a/\x7f", "http://a/?\n"}) {
        CHECK(error_of(text) == "the URL has a control character");
    }
    CHECK(error_of(std::string_view{"http://a/\0", 10}) == "the URL has a control character");
    const std::string largest = "http://a/" + std::string(65535 - 9, 'x');
    CHECK(good(largest).request_target().size() == 65535 - 8);
    CHECK(error_of(largest + 'x') == "the URL is longer than 64 KiB");
    CHECK(error_of("http://a/" + std::string(30000, ' ') + 'x') == "the URL is longer than 64 KiB");
    CHECK(error_of("http://" + std::string(30000, '|') + "@a/") == "the URL is longer than 64 KiB");
}

TEST_CASE("url: resolution, the examples of RFC 3986 section 5.4") {
    constexpr std::string_view base = "http://a/b/c/d;p?q";
    const std::vector<std::pair<std::string, std::string>> examples{
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g"},
        {"g#s/../x", "http://a/b/c/g"},
    };
    for (const auto& example : examples) {
        const auto& reference = example.first;
        CAPTURE(reference);
        CHECK(resolved(base, reference) == example.second);
    }
    CHECK(resolved(base, "g:h") == "error: there is no \"//\" and host behind the scheme");
}

TEST_CASE("url: resolution of what servers send") {
    CHECK(resolved("https://u:p@a:8443/x", "HTTP://B:81/y?z#f") == "http://b:81/y?z");
    CHECK(resolved("https://a:8443/x", "//b/y") == "https://b/y");
    CHECK(resolved("https://a:8443/x", "y") == "https://a:8443/y");
    CHECK(resolved("http://a", "y") == "http://a/y");
    CHECK(resolved("http://a?q", "y") == "http://a/y");
    CHECK(resolved("http://a/x?q=1/2/3", "y") == "http://a/y");
    CHECK(resolved("http://a/", "/b c/\xc3\xa9?d e") == "http://a/b%20c/%C3%A9?d%20e");
    CHECK(resolved("http://a/", "y?u=http://b/c") == "http://a/y?u=http://b/c");
    CHECK(resolved("http://a/", "/x//y") == "http://a/x//y");
    CHECK(resolved("http://a/b/c", "..//d") == "http://a//d");
    CHECK(resolved("http://[::1]:81/", "/x") == "http://[::1]:81/x");
    CHECK(resolved("http://a/", "/x\r\nSet-Cookie: y") == "error: the URL has a control character");
    CHECK(resolved("http://a/", "http://b:0/") ==
          "error: the port is not a number from 1 to 65535");
    CHECK(resolved("http://a/", "//") == "error: there is no host");
    CHECK(resolved("http://a/", "https:/b") ==
          "error: there is no \"//\" and host behind the scheme");
    std::string error;
    const auto kept = good("http://u:p@a/x").resolve("/y", error);
    REQUIRE(kept);
    CHECK(kept->userinfo() == "u:p");
    const auto lost = good("http://u:p@a/x").resolve("http://a/y", error);
    REQUIRE(lost);
    CHECK(lost->userinfo().empty());
    const auto long_base = good("http://a/" + std::string(40000, 'x') + '/');
    CHECK_FALSE(long_base.resolve(std::string(40000, 'y'), error));
    CHECK(error == "the URL is longer than 64 KiB");
}

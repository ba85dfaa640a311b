// TLS failures of http checks: inspected first, judged afterwards, and not one application byte
// sent to a server whose certificate did not pass.
#include "probes/net/tls_context.hpp"

#include "tests/probes/http_fixture.hpp"
#include "tests/support/dns_server.hpp"

#include <doctest/doctest.h>

using namespace sonde::probes;
using namespace sonde::tests;
using M = Measurement;

namespace {

struct BadCertificate {
    std::string name;
    Identity identity;
    Failure failure;
    const char* why;
};

std::vector<BadCertificate> bad_certificates(const TestCa& ca) {
    const TestCa stranger("sonde stranger");
    return {
        {"expired", ca.issue(CertificateSpec::expired()), Failure::certificate_expired, "expired"},
        {"not yet valid",
         ca.issue(CertificateSpec::not_yet_valid()),
         Failure::certificate_expired,
         "not yet valid"},
        {"wrong name",
         ca.issue(CertificateSpec::wrong_name()),
         Failure::certificate_name,
         "mismatch"},
        {"of a stranger", stranger.issue(), Failure::certificate_untrusted, "issuer"},
        {"self-signed", TestCa::self_signed(), Failure::certificate_untrusted, "self-signed"},
    };
}

/// Settings with credentials that must not reach a server before it is verified.
std::string secretive(const TestCa& ca, const TempDir& directory) {
    return trust(ca, directory) +
           "headers = { Authorization = \"Bearer hush\", Cookie = \"session=hush\" }\n";
}

}  // namespace

TEST_CASE("a certificate that does not pass fails the check, tells its facts, and sends nothing") {
    const TestCa ca;
    const TempDir directory;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const BadCertificate& bad : bad_certificates(ca)) {
            CAPTURE(bad.name);
            CAPTURE(version);
            ScriptedServer server({{step::tls({.identity = bad.identity, .max_version = version}),
                                    step::wait_for_close()}});
            const ProbeResult result =
                check_site(server.url("/", "https"), {.settings = secretive(ca, directory)});
            CHECK(result.failure == bad.failure);
            CHECK(mentions(result.detail, {server.address(), "certificate", bad.why}));
            CHECK(result.readings.get(M::tls_verified) == 0);
            CHECK(result.readings.get(M::ssl_earliest_cert_expiry) ==
                  static_cast<double>(bad.identity.not_after_unix()));
            CHECK(labels_of(result, Family::ssl_last_chain_info).size() == 5);
            CHECK(labels_of(result, Family::tls_version_info).size() == 1);
            CHECK(phases_of(result) == "connect tls");
            CHECK_FALSE(result.rtt);
            CHECK_FALSE(result.readings.get(M::http_status_code));
            const Conversation seen = server.finished()[0];
            CHECK(seen.tls_established);
            CHECK(seen.received == "");
            CHECK(server.accepted() == 1);
        }
    }
}

TEST_CASE("a secret server_name is asked for and checked, and no detail shows it") {
    const TestCa ca;
    const TempDir directory;
    const std::string secret = directory.write("name", "hush.test\n").string();
    CertificateSpec right;
    right.dns_names = {"hush.test"};
    const std::string settings = "tls = { server_name = { file = \"" + secret +
                                 "\" }, ca_file = \"" + ca.write(directory).string() + "\" }";
    ScriptedServer server({tls_answer({.identity = ca.issue(right)}, response("hello")),
                           {step::tls({.identity = ca.issue()}), step::wait_for_close()}});
    CHECK(check_site(server.url("/", "https"), {.settings = settings}).failure == Failure::none);
    const ProbeResult other = check_site(server.url("/", "https"), {.settings = settings});
    CHECK(other.failure == Failure::certificate_name);
    CHECK(mentions(other.detail, {server.address(), "<secret>", "mismatch"}));
    CHECK(other.detail.find("hush") == std::string::npos);
    CHECK(server.finished()[0].sni == "hush.test");
}

TEST_CASE("a chain that was verified before has all its facts, and is good for no other name") {
    const TestCa ca;
    const TempDir directory;
    net::TlsProblem problem;
    const auto context = net::TlsContext::make({ca.pem()}, problem);
    ScriptedServer server({tls_answer({.identity = ca.issue()}, response("there"))});
    const std::string url = server.url("/", "https");
    const ProbeResult first = check_site(url, {.settings = trust(ca, directory)});
    CHECK(context->chains().size() == 1);
    const ProbeResult second = check_site(url, {.settings = trust(ca, directory)});
    CHECK(context->chains().size() == 1);
    for (const ProbeResult* result : {&first, &second}) {
        CHECK(result->failure == Failure::none);
        CHECK(result->readings.get(M::tls_verified) == 1);
    }
    REQUIRE(first.readings.get(M::ssl_last_chain_expiry));
    CHECK(first.readings.get(M::ssl_last_chain_expiry) ==
          second.readings.get(M::ssl_last_chain_expiry));
    CHECK(first.readings.get(M::ssl_earliest_cert_expiry) ==
          second.readings.get(M::ssl_earliest_cert_expiry));

    const std::string other = "tls = { server_name = \"other.test\", ca_file = \"" +
                              ca.write(directory).string() + "\" }";
    CHECK(check_site(url, {.settings = other}).failure == Failure::certificate_name);
    CHECK(check_site(url, {.settings = other}).failure == Failure::certificate_name);
    CHECK(context->chains().size() == 1);
}

TEST_CASE("insecure_skip_verify asks all the same and still tells that nothing was verified") {
    const TestCa ca;
    for (const BadCertificate& bad : bad_certificates(ca)) {
        CAPTURE(bad.name);
        ScriptedServer server({tls_answer({.identity = bad.identity}, response("hello"))});
        const ProbeResult result = check_site(
            server.url("/", "https"), {.settings = "tls = { insecure_skip_verify = true }"});
        CHECK(result.failure == Failure::none);
        CHECK(result.readings.get(M::tls_verified) == 0);
        CHECK(result.readings.get(M::http_status_code) == 200);
        CHECK(result.rtt);
    }
}

TEST_CASE("a certificate that is untrusted, expired and for another name tells all three") {
    const TestCa ca;
    const TempDir directory;
    CertificateSpec spec = CertificateSpec::expired();
    spec.dns_names = {"elsewhere.invalid"};
    spec.addresses.clear();
    ScriptedServer server(
        {{step::tls({.identity = TestCa::self_signed(spec)}), step::wait_for_close()}});
    const ProbeResult result =
        check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
    CHECK(result.failure == Failure::certificate_untrusted);
    CHECK(mentions(result.detail, {"self-signed", "expired", "mismatch"}));
}

TEST_CASE("without a CA of its own a test server is not trusted by the system's store") {
    const TestCa ca;
    ScriptedServer server({{step::tls({.identity = ca.issue()}), step::wait_for_close()}});
    const ProbeResult result = check_site(server.url("/", "https"));
    CHECK(result.failure == Failure::certificate_untrusted);
}

TEST_CASE("a chain whose intermediate is missing") {
    const TestCa ca;
    const TempDir directory;
    // Leaves of this one carry no intermediate, which is the mistake that servers make most.
    const TestCa forgotten = ca.intermediate();
    const TestCa other("sonde other root");
    ScriptedServer server({{step::tls({.identity = forgotten.issue()}), step::wait_for_close()}});
    const ProbeResult result =
        check_site(server.url("/", "https"), {.settings = trust(other, directory)});
    CHECK(result.failure == Failure::certificate_untrusted);
    CHECK(result.readings.get(M::tls_verified) == 0);
}

TEST_CASE("a server that answers the ClientHello with an alert") {
    const TestCa ca;
    const TempDir directory;
    const std::vector<std::pair<int, const char*>> alerts{
        {SSL_AD_HANDSHAKE_FAILURE, "handshake failure"},
        {SSL_AD_UNRECOGNIZED_NAME, "unrecognized name"}};
    for (const auto& [alert, words] : alerts) {
        ScriptedServer server(
            {{step::tls({.identity = ca.issue(), .alert = alert}), step::wait_for_close()}});
        const ProbeResult result =
            check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
        CHECK(result.failure == Failure::tls_alert);
        CHECK(mentions(result.detail, {"TLS handshake", server.address(), words}));
        CHECK(phases_of(result) == "connect");
        CHECK_FALSE(result.readings.get(M::tls_verified));
    }
}

TEST_CASE("a server that speaks only a version which is not safe any more") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer server({{step::tls({.identity = ca.issue(),
                                       .min_version = TLS1_1_VERSION,
                                       .max_version = TLS1_1_VERSION}),
                            step::wait_for_close()}});
    const ProbeResult result =
        check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
    // Which side refuses, and in which words, is OpenSSL's and the distribution's choice.
    CHECK((result.failure == Failure::tls_alert || result.failure == Failure::tls_handshake));
    CHECK(mentions(result.detail, {"TLS handshake", server.address()}));
    CHECK(phases_of(result) == "connect");
}

TEST_CASE("a handshake that the server cuts off by closing") {
    const TestCa ca;
    const TempDir directory;
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{3}, std::size_t{100}, std::size_t{400}}) {
        CAPTURE(bytes);
        ScriptedServer server(
            {{step::tls({.identity = ca.issue(), .stop_after_bytes = bytes}), step::drop()}});
        const ProbeResult result =
            check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
        CHECK(result.failure == Failure::tls_handshake);
        CHECK(mentions(result.detail, {"TLS handshake", server.address(), "closed"}));
        CHECK(phases_of(result) == "connect");
    }
}

TEST_CASE("a server that does not speak TLS at all") {
    const TestCa ca;
    const TempDir directory;
    const std::vector<std::string> greetings{"HTTP/1.1 400 Bad Request\r\n\r\n",
                                             "220 mail.test ESMTP\r\n",
                                             std::string("\x16\x03\x03\xff\xff", 5)};
    for (const std::string& greeting : greetings) {
        CAPTURE(greeting);
        ScriptedServer server({{step::send(greeting), step::wait_for_close()}});
        const ProbeResult result =
            check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
        CHECK(result.failure == Failure::tls_handshake);
        CHECK(mentions(result.detail, {"TLS handshake", server.address()}));
        CHECK(phases_of(result) == "connect");
    }
}

TEST_CASE("a body without length that ends without close_notify is cut off") {
    // RFC 9112 section 9.8: an incomplete close makes such a response incomplete.
    const TestCa ca;
    const TempDir directory;
    const std::string answer = "HTTP/1.1 200 OK\r\n\r\nhalf";
    const Step handshake = step::tls({.identity = ca.issue()});
    ScriptedServer server({{handshake, step::read_request(), step::send(answer), step::drop()},
                           {handshake, step::read_request(), step::send(answer), step::close()}});
    const ProbeResult cut =
        check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
    CHECK(cut.failure == Failure::connection_reset);
    CHECK(mentions(cut.detail, {server.address(), "close_notify"}));
    CHECK_FALSE(cut.rtt);
    const ProbeResult whole =
        check_site(server.url("/", "https"), {.settings = trust(ca, directory)});
    CHECK(whole.failure == Failure::none);
}

TEST_CASE("a body with a length needs no close_notify") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer server({{step::tls({.identity = ca.issue()}),
                            step::read_request(),
                            step::send(response("whole")),
                            step::drop()}});
    CHECK(check_site(server.url("/", "https"), {.settings = trust(ca, directory)}).failure ==
          Failure::none);
}

TEST_CASE("a client certificate is shown to who asks for it") {
    const TestCa ca;
    const TestCa clients;
    const TempDir directory;
    CertificateSpec spec;
    spec.common_name = "prober";
    const Identity identity = clients.issue(spec);
    const std::string root = ca.write(directory).string();
    const std::string own =
        "cert_file = \"" + directory.write("client.pem", identity.chain_pem()).string() +
        "\", key_file = \"" + directory.write("client.key", identity.key_pem()).string() + "\"";
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        const TlsScript tls{.identity = ca.issue(),
                            .min_version = version,
                            .max_version = version,
                            .client_ca = clients.pem()};
        ScriptedServer server({tls_answer(tls, response("hello"))});
        const ProbeResult shown =
            check_site(server.url("/", "https"),
                       {.settings = "tls = { ca_file = \"" + root + "\", " + own + " }"});
        CHECK(shown.failure == Failure::none);
        CHECK(server.finished()[0].client_subject == "prober");

        ScriptedServer strict({tls_answer(tls, response("hello"))});
        const ProbeResult without = check_site(
            strict.url("/", "https"), {.settings = "tls = { ca_file = \"" + root + "\" }"});
        CHECK(without.failure == Failure::tls_alert);
    }
}

TEST_CASE("the versions that are offered") {
    const TestCa ca;
    const TempDir directory;
    const std::string root = "tls = { ca_file = \"" + ca.write(directory).string() + "\", ";

    ScriptedServer any({tls_answer({.identity = ca.issue()}, response("hello"))});
    const ProbeResult lower =
        check_site(any.url("/", "https"), {.settings = root + "max_version = \"1.2\" }"});
    CHECK(lower.failure == Failure::none);
    CHECK(labels_of(lower, Family::tls_version_info) == std::vector<std::string>{"TLS 1.2"});

    ScriptedServer modest({{step::tls({.identity = ca.issue(), .max_version = TLS1_2_VERSION})}});
    const ProbeResult refused =
        check_site(modest.url("/", "https"), {.settings = root + "min_version = \"1.3\" }"});
    CHECK(refused.failure == Failure::tls_alert);

    ScriptedServer old({tls_answer(
        {.identity = ca.issue(), .min_version = TLS1_VERSION, .max_version = TLS1_VERSION},
        response("hello"))});
    const ProbeResult ancient =
        check_site(old.url("/", "https"), {.settings = root + "min_version = \"1.0\" }"});
    CHECK(ancient.failure == Failure::none);
    CHECK(labels_of(ancient, Family::tls_version_info) == std::vector<std::string>{"TLS 1.0"});
}

TEST_CASE("max_version alone reaches old servers") {
    const TestCa ca;
    const TempDir directory;
    ScriptedServer old({tls_answer(
        {.identity = ca.issue(), .min_version = TLS1_VERSION, .max_version = TLS1_1_VERSION},
        response("hello"))});
    const ProbeResult result =
        check_site(old.url("/", "https"),
                   {.settings = "tls = { ca_file = \"" + ca.write(directory).string() +
                                "\", max_version = \"1.1\" }"});
    CHECK(result.failure == Failure::none);
    CHECK(labels_of(result, Family::tls_version_info) == std::vector<std::string>{"TLS 1.1"});
}

TEST_CASE("a client certificate is not shown to another host") {
    const TestCa ca;
    const TestCa clients;
    const TempDir directory;
    const Identity identity = clients.issue({});
    const TlsScript asking{.identity = ca.issue(), .client_ca = clients.pem()};
    ScriptedServer away({tls_answer(asking, response("hello"))});
    DnsServer dns({{"away.test", {.a = {"127.0.0.1"}}}});
    ScriptedServer home({tls_answer(
        asking, redirect_to("https://away.test:" + std::to_string(away.port()) + "/"))});
    const ProbeResult result =
        check_site(home.url("/", "https"),
                   {.settings = "tls = { insecure_skip_verify = true, cert_file = \"" +
                                directory.write("client.pem", identity.chain_pem()).string() +
                                "\", key_file = \"" +
                                directory.write("client.key", identity.key_pem()).string() + "\" }",
                    .dns_server = dns.address()});
    CHECK(result.failure == Failure::tls_alert);
    CHECK(result.readings.get(M::http_redirects) == 1);
    CHECK(away.finished()[0].client_subject.empty());
}

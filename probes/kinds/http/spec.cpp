#include "probes/kinds/http/spec.hpp"

#include "probes/kinds/http/oauth.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace sonde::probes::http {

namespace {

using config::Bytes;
using config::Table;
using config::Text;

void read_reading(Table& table, Spec& spec, bool& good) {
    std::int64_t most = spec.max_redirects;
    table.read({"redirects",
                "Whether redirects are followed. The status is judged on the final response."},
               spec.follow_redirects);
    good = table.read({"max_redirects", "How many redirects are followed; one more is a failure."},
                      most,
                      0,
                      50)
               ? good
               : good && !table.origin("max_redirects");
    spec.max_redirects = static_cast<unsigned>(most);
    table.read({"cookies",
                "Whether the cookies that responses set are sent on over redirects. They end with "
                "the check."},
               spec.cookies);
    std::string read = "all";
    static constexpr std::array<std::string_view, 2> words{"all", "until_decided"};
    table.read_word(
        {"read", "`all` reads the whole body; `until_decided` stops when every verdict is known."},
        read,
        words);
    spec.until_decided = read == "until_decided";
    Bytes max_body{spec.max_body};
    table.read({"max_body",
                "The largest body (decoded) that is still good; a larger one is `body_too_large`."},
               max_body,
               Bytes{0},
               Bytes{std::uint64_t{1} << 40});
    spec.max_body = max_body.count;
}

/// A PEM file of the TLS settings.
struct PemFile {
    std::string_view key;
    std::string_view help;
    std::string* pem;
    Text path = {};
    bool good = true;

    void read(Table& tls) {
        good = tls.read_file({key, help}, path, *pem) || !tls.origin(key);
        if (good && tls.origin(key) && pem->empty()) {
            fail(tls, "the file is empty; it must hold PEM blocks");
        }
    }

    void fail(Table& tls, const std::string& what) {
        tls.error(key, std::string{path.show()} + ": " + what);
        good = false;
    }
};

int read_version(Table& tls, config::Key key) {
    static constexpr std::array<int, 4> versions{
        TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    std::string word;
    if (!tls.read_word(key, word, tls_version_words)) {
        return 0;
    }
    return versions[static_cast<std::size_t>(std::ranges::find(tls_version_words, word) -
                                             tls_version_words.begin())];
}

/// Leaves spec.tls null when anything was wrong.
void read_tls(Table& tls, Spec& spec) {
    net::TlsSettings settings;
    PemFile ca{"ca_file",
               "PEM file of the certificates to trust instead of the system's.",
               &settings.ca_pem};
    PemFile certificate{"cert_file",
                        "PEM file of the client's certificate, and of the intermediates that are "
                        "sent with it, to the target's own host only.",
                        &settings.cert_pem};
    PemFile key{"key_file",
                "PEM file of the private key of `cert_file`, without a passphrase.",
                &settings.key_pem};
    for (PemFile* file : {&ca, &certificate, &key}) {
        file->read(tls);
    }
    settings.min_version =
        read_version(tls, {"min_version", "The lowest TLS version that is offered."});
    settings.max_version =
        read_version(tls, {"max_version", "The highest TLS version that is offered."});
    tls.read(
        {"server_name", "Name for SNI and for the certificate's check; default: the url's host."},
        spec.server_name);
    tls.read({"resume",
              "Resumes the TLS session of an earlier check, as browsers do, where the certificate "
              "verified: a cheaper handshake, and the certificates of the one before."},
             spec.resume_tls);
    settings.resume = spec.resume_tls;
    tls.read({"insecure_skip_verify",
              "Goes on with a certificate that does not verify; the TLS metrics still say so."},
             spec.insecure_skip_verify);
    bool usable = ca.good && certificate.good && key.good;
    if (tls.origin("cert_file").has_value() != tls.origin("key_file").has_value()) {
        // At the missing one: a module may leave it to its targets.
        tls.error(tls.origin("cert_file") ? "key_file" : "cert_file",
                  "is missing: cert_file and key_file belong together");
        usable = false;
    }
    if (settings.max_version != 0 && settings.max_version < settings.min_version) {
        tls.error("max_version", "must not be lower than min_version");
        usable = false;
    }
    if (tls.documenting() || !usable) {
        return;
    }
    net::TlsProblem problem;
    spec.tls = net::TlsContext::make(settings, problem);
    if (!spec.tls) {
        PemFile& wrong = problem.in == net::TlsProblem::In::ca            ? ca
                         : problem.in == net::TlsProblem::In::certificate ? certificate
                                                                          : key;
        wrong.fail(tls, problem.what);
        return;
    }
    spec.tls_elsewhere = spec.tls;
    if (!settings.cert_pem.empty()) {
        settings.cert_pem.clear();
        settings.key_pem.clear();
        spec.tls_elsewhere = net::TlsContext::make(settings, problem);
    }
}

void read_connection(Table& table, Spec& spec) {
    static constexpr std::array<std::string_view, 2> words{"fresh", "reuse"};
    std::string connection{words[0]};
    table.read_word({"connection",
                     "`fresh`: a connection for each request, every phase of it measured; "
                     "`reuse`: one that an earlier check has left open, if there is one, without "
                     "the phases of opening it. Methods that are not idempotent have their own."},
                    connection,
                    words);
    std::string http2{"auto"};
    static constexpr std::array<std::string_view, 3> uses{"auto", "never", "prior_knowledge"};
    table.read_word({"http2",
                     "Whether HTTP/2 is spoken: `auto` where a server chooses it over TLS (ALPN), "
                     "`never`, or `prior_knowledge`: always, also without TLS."},
                    http2,
                    uses);
    spec.http2 = static_cast<Http2Use>(std::ranges::find(uses, http2) - uses.begin());
    net::ConnectionPool::Limits limits;
    auto idle = static_cast<std::int64_t>(limits.idle);
    auto open = static_cast<std::int64_t>(limits.open);
    table.read({"pool_size",
                "With `connection = \"reuse\"`: how many connections to the host are kept between "
                "checks, by each worker."},
               idle,
               1,
               1000);
    table.read({"max_connections_per_host",
                "With `connection = \"reuse\"`: how many connections to the host may be open at "
                "the same time, by each worker; further checks wait. 0: any number."},
               open,
               0,
               10'000);
    table.read({"idle_timeout",
                "With `connection = \"reuse\"`: how long a connection is kept without a request."},
               limits.idle_timeout,
               std::chrono::seconds{1},
               std::chrono::hours{24});
    if (connection == "reuse") {
        limits.idle = static_cast<std::size_t>(idle);
        limits.open = static_cast<std::size_t>(open);
        spec.pool = limits;
    }
}

std::string connection_identity(const Spec& spec) {
    const net::DialSettings& dial = spec.dial;
    std::string all = std::to_string(static_cast<int>(dial.prefer)) +
                      std::to_string(static_cast<int>(spec.http2)) + (dial.fallback ? 'f' : '-') +
                      (spec.insecure_skip_verify ? 'i' : '-');
    const auto add = [&all](std::string_view part) {
        all += std::to_string(part.size()) + ':';
        all += part;
    };
    for (const auto& context : {spec.tls, spec.tls_elsewhere}) {
        all += std::to_string(context ? context->serial() : 0) + ',';
    }
    add(spec.server_name.reveal());
    add(dial.local.address ? dial.local.address->address() : "");
    add(dial.local.interface);
    for (const std::string& server : dial.dns_servers) {
        add(server);
    }
    for (const auto& proxy : {spec.proxies.http, spec.proxies.https}) {
        add(proxy ? proxy->identity() : "");
    }
    return all;
}

}  // namespace

std::shared_ptr<const Spec> read_spec(Table& table) {
    auto spec = std::make_shared<Spec>();
    Table tls = table.sub({"tls", "How the server's certificate is checked."});
    ExpectationNames names;
    bool good = read_expectations(table, tls, spec->expect, names);
    good = read_content(table, names, spec->content) && good;
    good = read_request_spec(table, spec->expect.content_encodings, spec->request) && good;
    good = net::read_dial_settings(table, spec->dial) && good;
    good = read_proxies(table, spec->proxies) && good;
    std::string addresses{"first"};
    static constexpr std::array<std::string_view, 2> which{"first", "all"};
    table.read_word({"addresses",
                     "`first` checks the host at one address; `all` at every one of (at most 32), "
                     "at the same time, with `probe_address_*` for each: the check fails when one "
                     "of them does."},
                    addresses,
                    which);
    spec->all_addresses = addresses == "all";
    if (spec->all_addresses && spec->proxies.configured()) {
        table.error("addresses", "there is a proxy too, which looks the host up itself");
        good = false;
    }
    if (spec->proxies.configured() && spec->dial.pinned) {
        table.error("resolve", "there is a proxy too, which looks the host up itself");
        good = false;
    }
    if (spec->content.needs_text()) {
        spec->keep_body = spec->content.max_extract_body;
    }
    read_reading(table, *spec, good);
    read_connection(table, *spec);
    read_tls(tls, *spec);
    spec->connection_identity = connection_identity(*spec);
    good = read_oauth(table, *spec) && good;
    return good && spec->tls ? spec : nullptr;
}

}  // namespace sonde::probes::http

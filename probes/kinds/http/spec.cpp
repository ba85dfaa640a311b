#include "probes/kinds/http/spec.hpp"

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

void read_tls(Table& tls, Spec& spec, bool& good) {
    Text path;
    net::TlsSettings settings;
    const bool has_ca =
        tls.read_file({"ca_file", "PEM file of the certificates to trust instead of the system's."},
                      path,
                      settings.ca_pem);
    tls.read(
        {"server_name", "Name for SNI and for the certificate's check; default: the url's host."},
        spec.server_name);
    tls.read({"insecure_skip_verify",
              "Goes on with a certificate that does not verify; the TLS metrics still say so."},
             spec.insecure_skip_verify);
    if (tls.documenting() || (tls.origin("ca_file") && !has_ca)) {
        return;
    }
    if (has_ca && settings.ca_pem.empty()) {
        tls.error("ca_file",
                  std::string{path.show()} + ": the file is empty; it must hold PEM blocks");
        good = false;
        return;
    }
    std::string error;
    spec.tls = net::TlsContext::make(settings, error);
    if (!spec.tls) {
        tls.error("ca_file", std::string{path.show()} + ": " + error);
        good = false;
    }
}

}  // namespace

std::shared_ptr<const Spec> read_spec(Table& table) {
    auto spec = std::make_shared<Spec>();
    Table tls = table.sub({"tls", "How the server's certificate is checked."});
    bool good = read_request_spec(table, spec->request);
    good = read_expectations(table, tls, spec->expect) && good;
    read_reading(table, *spec, good);
    read_tls(tls, *spec, good);
    return good && spec->tls ? spec : nullptr;
}

}  // namespace sonde::probes::http

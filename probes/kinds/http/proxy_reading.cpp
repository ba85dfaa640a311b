// Reading (and documenting) of the settings of proxies.
#include "probes/kinds/http/basic_auth.hpp"
#include "probes/kinds/http/field_text.hpp"
#include "probes/kinds/http/proxy.hpp"

#include <map>

namespace sonde::probes::http {

namespace {

using config::Table;
using config::Text;

/// The entries of a list, as add_exception() takes them.
bool read_no_proxy(Table& table, ProxySpec& proxy) {
    std::vector<std::string> entries;
    if (!table.read({"no_proxy",
                     "Hosts that are asked without the proxy: a host (and the domain below it), "
                     "`.domain` (only below it), an IP address, a network (`10.0.0.0/8`), or `*`; "
                     "each may have a `:port`."},
                    entries)) {
        return !table.origin("no_proxy");
    }
    bool good = true;
    for (const std::string& entry : entries) {
        if (!proxy.add_exception(entry)) {
            table.error("no_proxy", "\"" + entry + "\" must be a host, an IP address or a network");
            good = false;
        }
    }
    return good;
}

bool read_headers(Table& table, std::string& lines) {
    std::map<std::string, Text> headers;
    table.read({"proxy_headers", "Header fields for the proxy alone, each a string or a secret."},
               headers,
               config::Names::any_case);
    bool good = true;
    for (const auto& [name, value] : headers) {
        good = check_field(table, "proxy_headers", name, value) && good;
        lines += name + ": " + value.reveal() + "\r\n";
    }
    return good;
}

bool is_known_scheme(std::string_view scheme) {
    return scheme == "http" || scheme == "https" || scheme == "socks5" || scheme == "socks5h";
}

/// What is wrong with the url of a proxy; empty: nothing.
std::string set_url(ProxySpec& proxy, const std::string& text) {
    std::string error;
    const auto url = Url::parse(text, error);
    if (!url) {
        return error;
    }
    if (!is_known_scheme(url->scheme())) {
        return "must be the url of a proxy, with http://, https:// or socks5://";
    }
    proxy.url = *url;
    if (proxy.speaks_socks()) {
        return proxy.set_socks_credentials(url->userinfo());
    }
    if (!url->userinfo().empty()) {
        proxy.header_lines += "Proxy-Authorization: " + basic_auth(url->userinfo()) + "\r\n";
    }
    return {};
}

/// Of the first of these that is set and not empty, as other programs read them.
std::string variable(Table& table, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        if (const auto value = table.environment(name); value && !value->empty()) {
            return *value;
        }
    }
    return {};
}

std::shared_ptr<const ProxySpec> from_environment(Table& table,
                                                  const ProxySpec& common,
                                                  const std::string& value,
                                                  std::string_view name,
                                                  bool& good) {
    if (value.empty()) {
        return nullptr;
    }
    auto proxy = std::make_shared<ProxySpec>(common);
    proxy->from_environment = true;
    const bool has_scheme = value.find("://") != std::string::npos;
    const std::string problem = set_url(*proxy, has_scheme ? value : "http://" + value);
    if (!problem.empty()) {
        // The value may hold a password.
        table.error("proxy_from_environment",
                    "the environment's " + std::string{name} + " is no url of a proxy");
        good = false;
        return nullptr;
    }
    return proxy;
}

bool read_environment(Table& table, ProxySpec common, Proxies& proxies) {
    bool good = true;
    const std::string exceptions = variable(table, {"NO_PROXY", "no_proxy"});
    for (std::size_t begin = 0; begin < exceptions.size();) {
        const std::size_t end = std::min(exceptions.find(',', begin), exceptions.size());
        std::string entry = exceptions.substr(begin, end - begin);
        std::erase(entry, ' ');
        begin = end + 1;
        if (!entry.empty() && !common.add_exception(entry)) {
            table.error("proxy_from_environment",
                        "\"" + entry +
                            "\" in the environment's NO_PROXY must be a host, an IP address or a "
                            "network");
            good = false;
        }
    }
    proxies.http = from_environment(
        table, common, variable(table, {"HTTP_PROXY", "http_proxy"}), "HTTP_PROXY", good);
    proxies.https = from_environment(
        table, common, variable(table, {"HTTPS_PROXY", "https_proxy"}), "HTTPS_PROXY", good);
    return good;
}

}  // namespace

bool read_proxies(Table& table, Proxies& proxies) {
    auto made = std::make_shared<ProxySpec>();
    Text text;
    const bool given = table.read(
        {"proxy_url",
         "Proxy to go through: an HTTP proxy (`http://proxy.example:3128`, or `https://` to speak "
         "TLS with it), by CONNECT to https and by the whole url to http; or `socks5://`, which "
         "looks the host up itself. User and password are sent to the proxy alone."},
        text);
    bool good = given || !table.origin("proxy_url");
    bool environment = false;
    table.read({"proxy_from_environment",
                "Goes through the proxies that `HTTP_PROXY` and `HTTPS_PROXY` name, but for the "
                "hosts of `NO_PROXY` and this machine itself."},
               environment);
    good = read_headers(table, made->header_lines) && good;
    good = read_no_proxy(table, *made) && good;
    const auto url_at = table.origin("proxy_url");
    const auto environment_at = table.origin("proxy_from_environment");
    if (environment && given && url_at == environment_at) {
        table.error("proxy_from_environment", "there is proxy_url too; one of them is the proxy");
        return false;
    }
    // The more specific of the two.
    environment = environment && (!given || *environment_at < *url_at);
    table.conclude("proxy_url", environment ? "the environment's" : "its own");
    if (environment && !table.documenting()) {
        return read_environment(table, *made, proxies) && good;
    }
    if (!given) {
        return good;
    }
    made->is_secret = text.is_secret();
    const std::string problem = set_url(*made, text.reveal());
    if (!problem.empty()) {
        // What is wrong with a secret would tell of it.
        table.error("proxy_url",
                    text.is_secret() ? "the secret does not hold the url of a proxy" : problem);
        return false;
    }
    proxies = {made, made};
    return good;
}

}  // namespace sonde::probes::http

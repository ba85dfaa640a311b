#include "probes/kinds/http/request.hpp"

#include "probes/kinds/http/basic_auth.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace sonde::probes::http {

namespace {

/// RFC 9110 section 8.6: a method that gives a body a meaning says that there is none.
bool expects_body(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

bool RequestForm::keep_alive() const {
    constexpr std::array<std::string_view, 6> idempotent{
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    return pooled && to_own_host && std::ranges::find(idempotent, method) != idempotent.end();
}

RequestForm first_request(const RequestSpec& spec, bool pooled) {
    return {
        .method = spec.method, .with_body = spec.has_body, .pooled = pooled, .to_own_host = true};
}

RequestForm after_redirect(RequestForm form, unsigned status, bool own_host) {
    const bool repeats = status == 307 || status == 308;
    if (!repeats) {
        form.with_body = false;
        if (form.method != "HEAD") {
            form.method = "GET";
        }
    }
    form.to_own_host = form.to_own_host && own_host;
    return form;
}

namespace {

constexpr std::string_view line_end = "\r\n";

void add(RequestText& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

/// Every field but Host and Connection.
void add_fields(RequestText& out,
                const RequestSpec& spec,
                const RequestForm& form,
                const Url& target) {
    add(out, spec.header_lines);
    const std::string_view own_cookies = form.to_own_host ? std::string_view{spec.cookies} : "";
    if (!own_cookies.empty() || !form.cookies.empty()) {
        add(out, "Cookie: ");
        add(out, own_cookies);
        add(out, !own_cookies.empty() && !form.cookies.empty() ? "; " : "");
        add(out, form.cookies);
        add(out, line_end);
    }
    if (form.to_own_host) {
        add(out, spec.private_header_lines);
        const std::string_view userinfo = target.userinfo();
        if (!form.token.empty()) {
            add(out, "Authorization: Bearer ");
            add(out, form.token);
            add(out, line_end);
        } else if (!userinfo.empty() && !spec.sets_authorization) {
            add(out, "Authorization: ");
            add(out, basic_auth(userinfo));
            add(out, line_end);
        }
    }
    if (form.with_body || expects_body(form.method)) {
        add(out, "Content-Length: ");
        add(out, std::to_string(form.with_body ? spec.body.size() : 0));
        add(out, line_end);
    }
}

std::string authority(const RequestSpec& spec, const RequestForm& form, const Url& url) {
    return form.to_own_host && !spec.host_header.empty() ? spec.host_header : url.host_header();
}

}  // namespace

RequestText make_request(const RequestSpec& spec,
                         const RequestForm& form,
                         const Url& url,
                         const Url& target,
                         const ProxySpec* proxy) {
    RequestText out;
    add(out, form.method);
    add(out, " ");
    if (proxy != nullptr) {
        add(out, url.origin());
    }
    add(out, url.request_target());
    add(out, " HTTP/1.1\r\nHost: ");
    add(out, authority(spec, form, url));
    add(out, line_end);
    if (!form.keep_alive()) {
        add(out, "Connection: close\r\n");
    }
    if (proxy != nullptr) {
        add(out, proxy->header_lines);
    }
    add_fields(out, spec, form, target);
    add(out, line_end);
    if (form.with_body) {
        add(out, spec.body);
    }
    return out;
}

void send_http2(const RequestSpec& spec,
                const RequestForm& form,
                const Url& url,
                const Url& target,
                Http2Exchange exchange) {
    RequestText text;
    add_fields(text, spec, form, target);
    std::string_view lines{text.data(), text.size()};
    boost::container::small_vector<wire::Http2Field, 16> fields;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find(line_end));
        const std::size_t colon = line.find(':');
        fields.push_back({line.substr(0, colon), line.substr(colon + 2)});
        lines.remove_prefix(line.size() + line_end.size());
    }
    const std::string host = authority(spec, form, url);
    exchange.client.request(
        {.method = form.method,
         .scheme = url.scheme(),
         .authority = host,
         .path = url.request_target(),
         .fields = fields,
         .body = form.with_body ? std::span<const char>{spec.body} : std::span<const char>{}},
        exchange.sink);
}

}  // namespace sonde::probes::http

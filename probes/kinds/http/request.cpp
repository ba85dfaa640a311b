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
    return pooled && std::ranges::find(idempotent, method) != idempotent.end();
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

RequestText make_request(const RequestSpec& spec,
                         const RequestForm& form,
                         const Url& url,
                         const Url& target,
                         const ProxySpec* proxy) {
    RequestText out;
    const auto add = [&out](std::string_view text) {
        out.insert(out.end(), text.begin(), text.end());
    };
    add(form.method);
    add(" ");
    if (proxy != nullptr) {
        add(url.origin());
    }
    add(url.request_target());
    add(" HTTP/1.1\r\nHost: ");
    add(form.to_own_host && !spec.host_header.empty() ? spec.host_header : url.host_header());
    add("\r\n");
    add(spec.header_lines);
    if (!form.keep_alive()) {
        add("Connection: close\r\n");
    }
    if (proxy != nullptr) {
        add(proxy->header_lines);
    }
    const std::string_view own_cookies = form.to_own_host ? std::string_view{spec.cookies} : "";
    if (!own_cookies.empty() || !form.cookies.empty()) {
        add("Cookie: ");
        add(own_cookies);
        add(!own_cookies.empty() && !form.cookies.empty() ? "; " : "");
        add(form.cookies);
        add("\r\n");
    }
    if (form.to_own_host) {
        add(spec.private_header_lines);
        if (!form.token.empty()) {
            add("Authorization: Bearer ");
            add(form.token);
            add("\r\n");
        }
        const std::string_view userinfo = target.userinfo();
        if (!userinfo.empty() && !spec.sets_authorization) {
            add("Authorization: ");
            add(basic_auth(userinfo));
            add("\r\n");
        }
    }
    if (form.with_body || expects_body(form.method)) {
        add("Content-Length: ");
        add(std::to_string(form.with_body ? spec.body.size() : 0));
        add("\r\n");
    }
    add("\r\n");
    if (form.with_body) {
        add(spec.body);
    }
    return out;
}

}  // namespace sonde::probes::http

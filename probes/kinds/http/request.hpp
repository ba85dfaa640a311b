// What is sent to ask: the text of a request (RFC 9112 section 3), or its fields over HTTP/2.
#pragma once

#include "probes/kinds/http/proxy.hpp"
#include "probes/kinds/http/request_spec.hpp"
#include "probes/url.hpp"
#include "probes/wire/http2_client.hpp"

#include <boost/container/small_vector.hpp>

#include <string>

namespace sonde::probes::http {

/// Text with room for most requests without an allocation.
using RequestText = boost::container::small_vector<char, 512>;

/// What redirects have made of the request so far.
struct RequestForm {
    std::string method;
    bool with_body = false;    // that of the settings
    bool pooled = false;       // connections are kept over checks
    bool to_own_host = true;   // may see what is meant for the target alone: private header fields,
                               // Host, and the userinfo of its url
    std::string cookies = {};  // of responses before this request, as the field has them
    std::string token = {};    // OAuth's, for the target's own host; empty: none

    /// Whether the connection may be one that carried a request before, and is kept for the next:
    /// with the target's own host only, not with wherever redirects lead.
    /// Such a connection may turn out dead, and then the request is sent again: only methods that
    /// are idempotent bear that (RFC 9110 section 9.2.2).
    [[nodiscard]] bool keep_alive() const;
};

/// What is sent first.
[[nodiscard]] RequestForm first_request(const RequestSpec& spec, bool pooled);

/// What is sent to where a redirect of this status leads. 307 and 308 repeat the request; the
/// others make it a GET without a body, but for HEAD (RFC 9110 section 15.4, and what clients do
/// since). `own_host`: whether the next url may see what the one before might.
[[nodiscard]] RequestForm after_redirect(RequestForm form, unsigned status, bool own_host);

/// `proxy`: the request is for it to pass on (RFC 9112 section 3.2.2); null: it is not.
/// `target`: the target's own url; its userinfo becomes basic authentication unless the settings
/// have Authorization.
[[nodiscard]] RequestText make_request(const RequestSpec& spec,
                                       const RequestForm& form,
                                       const Url& url,
                                       const Url& target,
                                       const ProxySpec* proxy);

/// Who makes frames of the request, and who gets the response.
struct Http2Exchange {
    wire::Http2Client& client;
    wire::ResponseSink& sink;
};

/// The same request over HTTP/2 (RFC 9113 section 8.3). `spec` outlives the exchange.
void send_http2(const RequestSpec& spec,
                const RequestForm& form,
                const Url& url,
                const Url& target,
                Http2Exchange exchange);

}  // namespace sonde::probes::http

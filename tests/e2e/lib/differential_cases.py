"""The table of test_differential: what is asked of both, and where and why their answers differ."""

import pathlib

from lib.differential import COMPARED, Case, Differs

CERTIFICATE = ["probe_ssl_earliest_cert_expiry", "probe_tls_version_info version",
               *(name for name in COMPARED if name.startswith("probe_ssl_last_chain_info"))]
RESPONSE = ["probe_http_status_code", "probe_http_version", "probe_http_content_length",
            "probe_http_uncompressed_body_length", "probe_http_ssl"]

MUST_MATCH = "fail_if_body_not_matches_regexp"
MUST_NOT_MATCH = "fail_if_body_matches_regexp"
NO_FALLBACK = {"ip_protocol_fallback": False}

# "Trap" is a well-known bug of the tools before Sonde.
UNMEASURED = Differs("Sonde exports nothing for what was not measured, upstream 0 (trap 8, BBE#579, BBE#984)", None, 0)
NO_RESPONSE_AT_LAST = {metric: UNMEASURED for metric in RESPONSE}
NO_RESPONSE = {**NO_RESPONSE_AT_LAST, "probe_http_redirects": UNMEASURED}
NO_ADDRESS = {**NO_RESPONSE, "probe_ip_protocol": UNMEASURED, "probe_ip_addr_hash": UNMEASURED}
NO_LENGTH = {"probe_http_content_length": Differs("no length was declared: upstream's -1 is no length", None, -1)}
NO_BODY = {"probe_http_content_length": Differs("no length was declared: upstream says 0 where there can be no body",
                                                None, 0)}
SERIAL = {"probe_ssl_last_chain_info serialnumber": Differs("this upstream does not have the label yet", upstream=None)}
LOST = Differs("upstream loses the certificate when the check fails (trap 10, BBE#1119)", upstream=None)
LOST_CERTIFICATE = {metric: LOST for metric in CERTIFICATE}
LOST_CHAIN = {"probe_ssl_last_chain_expiry_timestamp_seconds": LOST}
NO_CHAIN = {"probe_ssl_last_chain_expiry_timestamp_seconds":
            Differs("without a verified chain upstream says the year 1 (trap 9, BBE#1386)", None, -62135596800)}


def regex_differs(why, sonde, upstream):
    return {"probe_failed_due_to_regex": Differs(why, sonde, upstream)}


HEADER_PATTERN = regex_differs("to want a field whatever its value is no pattern of Sonde's", None, 1)


def plain_cases(at):
    url = at.plain.url
    yield Case("ok", url("/ok"))
    yield Case("chunked", url("/chunked"), known=[NO_LENGTH])
    yield Case("until-close", url("/until-close"), known=[NO_LENGTH])
    yield Case("gzip", url("/gzip"), {"compression": "gzip", "headers": {"Accept-Encoding": "gzip"}},
               {"content_encodings": ["gzip"]})
    yield Case("gzip-not-asked-for", url("/gzip"), known=[
        {"probe_http_uncompressed_body_length": Differs("upstream only decodes what `compression` names", 1000, 48)}])
    yield Case("cut-gzip", url("/cut-gzip"), {"compression": "gzip"}, {"content_encodings": ["gzip"]})
    yield Case("http10", url("/http10"))
    yield Case("204", url("/204"), known=[NO_BODY])
    yield Case("304", url("/304"), known=[NO_BODY])
    yield Case("304-expected", url("/304"), {"valid_status_codes": [304]}, {"status": [304]}, known=[NO_BODY])
    yield Case("404", url("/404"))
    yield Case("404-expected", url("/404"), {"valid_status_codes": [404]}, {"status": [404]})
    yield Case("500", url("/500"))
    yield Case("early-hints", url("/early-hints"))
    yield Case("modified", url("/modified"))
    yield Case("modified-never", url("/modified-never"))
    yield Case("large", url("/large"))
    yield Case("head", url("/modified"), {"method": "HEAD"}, {"method": "HEAD"})
    yield Case("post", url("/echo"), {"method": "POST", "body": "a=1", MUST_MATCH: ["^POST a=1$"]},
               {"method": "POST", "body": "a=1", "regex": ["^POST a=1$"]})
    custom = {"headers": {"X-Probe": "yes"}}
    yield Case("custom-header", url("/custom"), custom, custom)
    host = {"headers": {"Host": "shop.example"}}
    yield Case("custom-host", url("/host"), host, host)
    yield Case("basic", url("/basic"), {"basic_auth": {"username": "ann", "password": "secret"}},
               {"basic_auth": {"username": "ann", "password": "secret"}})
    yield Case("basic-wrong", url("/basic"), {"basic_auth": {"username": "ann", "password": "guess"}},
               {"basic_auth": {"username": "ann", "password": "guess"}})
    yield Case("bearer", url("/bearer"), {"bearer_token": "t0ken"}, {"bearer_token": "t0ken"})
    yield Case("bearer-not-given", url("/bearer"))
    yield Case("version-good", url("/ok"), {"valid_http_versions": ["HTTP/1.1"]}, {"http_versions": ["1.1"]})
    yield Case("version-bad", url("/http10"), {"valid_http_versions": ["HTTP/1.1"]}, {"http_versions": ["1.1"]})
    yield Case("tls-demanded", url("/ok"), {"fail_if_not_ssl": True}, {"final_url": "^https://"})
    yield Case("tls-refused", url("/ok"), {"fail_if_ssl": True}, {"final_url": "^http://"})
    yield Case("body-limit", url("/large"), {"body_size_limit": "1000B"}, {"max_body": 1000})
    yield Case("body-limit-just-met", url("/large"), {"body_size_limit": "5000B"}, {"max_body": 5000})


def pattern_cases(at):
    url = at.plain.url
    absent = {"pattern": "Welcome", "expect": "absent"}
    yield Case("regex-found", url("/ok"), {MUST_MATCH: ["Welcome"]}, {"regex": ["Welcome"]})
    yield Case("regex-missing", url("/ok"), {MUST_MATCH: ["Goodbye"]}, {"regex": ["Goodbye"]})
    yield Case("regex-unwanted", url("/ok"), {MUST_NOT_MATCH: ["Welcome"]}, {"regex": [absent]})
    yield Case("regex-and-bad-status", url("/404"), {MUST_MATCH: ["Welcome"]}, {"regex": ["Welcome"]})
    yield Case("regex-of-redirect", url("/redirect/302?/ok"),
               {"follow_redirects": False, "valid_status_codes": [302], MUST_NOT_MATCH: ["Welcome"]},
               {"redirects": False, "status": [302], "regex": [absent]})
    yield Case("regex-over-chunks", url("/chunked"), {MUST_MATCH: ["Welcome shop"]},
               {"regex": ["Welcome shop"]}, known=[NO_LENGTH])
    yield Case("regex-end-of-text", url("/ok"), {MUST_MATCH: ["shop$"]}, {"regex": ["shop$"]})
    yield Case("field-found", url("/fields"),
               {"fail_if_header_not_matches": [{"header": "X-Shop", "regexp": "^open$"}]},
               {"expect_headers": [{"header": "X-Shop", "pattern": "^open$"}]})
    yield Case("field-second", url("/fields"),
               {"fail_if_header_not_matches": [{"header": "Set-Cookie", "regexp": "^b="}]},
               {"expect_headers": [{"header": "Set-Cookie", "pattern": "^b="}]})
    yield Case("field-missing", url("/ok"), {"fail_if_header_not_matches": [{"header": "X-Shop", "regexp": "."}]},
               {"expect_headers": ["X-Shop"]}, known=[HEADER_PATTERN])
    yield Case("field-unwanted", url("/fields"), {"fail_if_header_matches": [{"header": "X-Shop", "regexp": "open"}]},
               {"expect_headers": [{"header": "X-Shop", "pattern": "open", "expect": "absent"}]})


def redirect_cases(at):
    url = at.plain.url
    for status in (301, 302, 303, 307, 308):
        yield Case(f"redirect-{status}", url(f"/redirect/{status}?/modified"))
    yield Case("redirect-absolute", url(f"/redirect/302?{url('/ok')}"))
    yield Case("redirect-relative", url("/redirect/302?../ok"))
    yield Case("redirect-without-scheme", url(f"/redirect/302?//127.0.0.1:{at.plain.port}/ok"))
    yield Case("redirect-to-404", url("/redirect/302?/404"))
    yield Case("redirect-to-nowhere", url(f"/redirect/302?{at.refused}"), known=[NO_RESPONSE_AT_LAST])
    yield Case("redirect-to-other-scheme", url("/redirect/302?ftp://127.0.0.1/"), known=[
        {metric: Differs("Sonde tells of the redirect that it cannot follow", upstream=0)
                                 for metric in ("probe_http_status_code", "probe_http_version")}])
    yield Case("redirect-without-location", url("/no-location"))
    yield Case("redirect-loop", url("/loop"))
    yield Case("redirects-ten", url("/hops/10"))
    yield Case("redirects-eleven", url("/hops/11"))
    yield Case("redirect-not-followed", url("/redirect/301?/ok"), {"follow_redirects": False},
               {"redirects": False})
    yield Case("redirect-not-followed-expected", url("/redirect/301?/ok"),
               {"follow_redirects": False, "valid_status_codes": [301]}, {"redirects": False, "status": [301]})
    yield Case("redirect-keeps-post", url("/redirect/307?/echo"),
               {"method": "POST", "body": "a=1", MUST_MATCH: ["^POST a=1$"]},
               {"method": "POST", "body": "a=1", "regex": ["^POST a=1$"]})
    yield Case("redirect-drops-post", url("/redirect/303?/echo"),
               {"method": "POST", "body": "a=1", MUST_MATCH: ["^GET $"]},
               {"method": "POST", "body": "a=1", "regex": ["^GET $"]})
    credentials = {"basic_auth": {"username": "ann", "password": "secret"}}
    yield Case("redirect-same-host-credentials", url("/redirect/302?/basic"), credentials, credentials)
    yield Case("redirect-other-host-credentials", url(f"/redirect/302?{at.plain.url('/basic', host='localhost')}"),
               credentials, credentials, known=[
                   {metric: Differs("upstream sends basic authentication to whatever host it is redirected to", *both)
                    for metric, both in (("probe_success", (0, 1)), ("probe_http_status_code", (401, 200)),
                                         ("probe_http_content_length", (2, 20)),
                                         ("probe_http_uncompressed_body_length", (2, 20)))}])
    yield Case("redirect-to-https", url(f"/redirect/301?{at.nginx.url('good')}"), {"tls_config": {"ca_file": at.ca}},
               {"tls": {"ca_file": at.ca}}, known=[SERIAL])
    yield Case("redirect-to-http", at.strict.url(f"/redirect/301?{url('/ok')}"), tls(at)[0], tls(at)[1])


def tls(at, more_theirs=None, more_ours=None):
    """Both sides' settings to trust the authority, and more."""
    client = {"cert_file": f"{at.client}.pem", "key_file": f"{at.client}.key"}
    return ({"tls_config": {"ca_file": at.ca, **client, **(more_theirs or {})}},
            {"tls": {"ca_file": at.ca, **client, **(more_ours or {})}})


def failure_cases(at):
    url = at.plain.url
    yield Case("slow-header", url("/slow-header"), timeout="2s", known=[NO_RESPONSE])
    yield Case("slow-body", url("/slow-body"), timeout="2s")
    yield Case("truncated", url("/truncated"))
    yield Case("truncated-chunk", url("/truncated-chunk"), known=[NO_LENGTH])
    yield Case("bad-chunk", url("/bad-chunk"), known=[NO_LENGTH])
    yield Case("truncated-regex", url("/truncated"), {MUST_MATCH: ["Welcome"]}, {"regex": ["Welcome"]},
               known=[
                   regex_differs("undecided, as the body broke off: upstream blames the pattern", None, 1)])
    yield Case("closed", url("/closed"), known=[NO_RESPONSE])
    yield Case("reset", url("/reset"), known=[NO_RESPONSE])
    yield Case("not-http", url("/not-http"), known=[NO_RESPONSE])
    yield Case("refused", at.refused, known=[NO_RESPONSE])
    yield Case("unresolvable", "http://no-such-name.invalid/", known=[NO_ADDRESS])
    yield Case("tls-at-plain", url("/ok").replace("http:", "https:"), known=[NO_RESPONSE])
    yield Case("plain-at-tls", at.nginx.url("good").replace("https:", "http:"))


def tls_cases(at):
    for name in ("good", "expired", "misnamed", "untrusted"):
        trusted = {"tls_config": {"ca_file": at.ca}}, {"tls": {"ca_file": at.ca}}
        blind = ({"tls_config": {"insecure_skip_verify": True}}, {"tls": {"insecure_skip_verify": True}})
        yield Case(f"tls-{name}", at.nginx.url(name), *trusted,
                   known=[SERIAL] if name == "good" else [NO_RESPONSE, LOST_CERTIFICATE])
        yield Case(f"tls-{name}-unverified", at.nginx.url(name), *blind, known=[NO_CHAIN, SERIAL])
    yield Case("tls-server-name", at.nginx.url("misnamed"),
               {"tls_config": {"ca_file": at.ca, "server_name": "elsewhere.invalid"}},
               {"tls": {"ca_file": at.ca, "server_name": "elsewhere.invalid"}}, known=[SERIAL])
    yield Case("tls-client-certificate", at.strict.url("/ok"), *tls(at), known=[SERIAL])
    yield Case("tls-no-client-certificate", at.strict.url("/ok"), {"tls_config": {"ca_file": at.ca}},
               {"tls": {"ca_file": at.ca}}, known=[NO_RESPONSE, LOST_CERTIFICATE, LOST_CHAIN])
    yield Case("tls-no-close-notify", at.strict.url("/until-close"), *tls(at), known=[
        SERIAL, NO_LENGTH, {"probe_success": Differs("RFC 9112 section 9.8: without a close_notify the body may be "
                                                     "cut off; upstream takes any end for the end", 0, 1)}])
    yield Case("tls-1.2", at.tls12.url("/ok"), *tls(at), known=[SERIAL])
    yield Case("tls-1.2-is-too-old", at.tls12.url("/ok"), *tls(at, {"min_version": "TLS13"}, {"min_version": "1.3"}),
               known=[NO_RESPONSE])
    yield Case("tls-1.2-at-most", at.nginx.url("good"), *tls(at, {"max_version": "TLS12"}, {"max_version": "1.2"}),
               known=[SERIAL])
    yield Case("tls-regex", at.nginx.url("good"), {**tls(at)[0], MUST_MATCH: ["Shop"]},
               {**tls(at)[1], "regex": ["Shop"]}, known=[SERIAL])


def localhost_has(family):
    """Whatever else a resolver of this machine makes of it, both sides read this file."""
    loopback = {"ip4": "127.0.0.1", "ip6": "::1"}[family]
    lines = [line.partition("#")[0].split() for line in pathlib.Path("/etc/hosts").read_text().splitlines()]
    return any(words[:1] == [loopback] and "localhost" in words[1:] for words in lines)


def address_cases(at):
    localhost = at.nginx.url(host="localhost")
    for family, other in (("ip4", "ip6"), ("ip6", "ip4")):
        prefer = {"preferred_ip_protocol": family}, {"ip_protocol": family}
        only = {**prefer[0], **NO_FALLBACK}, {**prefer[1], **NO_FALLBACK}
        literal = at.nginx.url(host={"ip4": "127.0.0.1", "ip6": "[::1]"}[other])
        yield Case(f"{family}-preferred", localhost, *prefer)
        yield Case(f"{family}-or-nothing", localhost, *only, known=[] if localhost_has(family) else [NO_ADDRESS])
        yield Case(f"{other}-literal-though-{family}", literal, *prefer)
        yield Case(f"{other}-literal-never", literal, *only, known=[NO_ADDRESS])


def proxy_cases(at):
    proxy = {"proxy_url": at.proxy.url()}
    yield Case("proxy-forward", at.plain.url("/modified"), proxy, proxy)
    yield Case("proxy-connect", at.nginx.url("good"), {**proxy, "tls_config": {"ca_file": at.ca}},
               {**proxy, "tls": {"ca_file": at.ca}}, known=[SERIAL])
    yield Case("proxy-404", at.plain.url("/404"), proxy, proxy)
    yield Case("proxy-resolves", "http://no-such-name.invalid/", proxy, proxy, known=[
        {metric: Differs("upstream looks up itself what it leaves to the proxy (BBE#877); to Sonde the proxy answers",
                         upstream=0)
         for metric in ("probe_http_status_code", "probe_http_version", "probe_http_uncompressed_body_length",
                        "probe_ip_protocol", "probe_ip_addr_hash")}, {"probe_http_content_length": UNMEASURED}])
    yield Case("proxy-target-refused", at.refused.replace("http:", "https:"), proxy, proxy, known=[NO_RESPONSE])
    yield Case("proxy-refused", at.plain.url("/ok"), {"proxy_url": at.refused}, {"proxy_url": at.refused},
               known=[NO_RESPONSE])


def all_cases(at, ipv6):
    groups = [plain_cases, pattern_cases, redirect_cases, failure_cases, tls_cases, proxy_cases]
    return [case for group in groups + ([address_cases] if ipv6 else []) for case in group(at)]

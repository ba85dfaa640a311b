"""What a monitor of websites meets at real servers: nginx, haproxy and caddy, each doing what only they do."""

import unittest

from lib.caddy import Caddy
from lib.checked import PASSWORD, Checked
from lib.haproxy import Haproxy
from lib.net import free_ports
from lib.nginx import NginxServers

LONG_TEXT = "A line of the long page, number %d\n" * 20000 % tuple(range(20000)) + "Its end\n"
USER = f'basic_auth = {{ username = "ann", password = "{PASSWORD}" }}'


def tls(base):
    return f"ssl_certificate {base}.pem; ssl_certificate_key {base}.key;"


def page(stack):
    """The directory of long.txt."""
    root = stack.directory / "pages"
    if not root.exists():
        (root / "inner").mkdir(parents=True)
        (root / "long.txt").write_text(LONG_TEXT)
        (root / "inner" / "index.html").write_text("Welcome inside\n")
        (root / "passwords").write_text(f"ann:{{PLAIN}}{PASSWORD}\n")
        (root / "upload").write_bytes(b"x" * (4 << 20))
    return root


class RealNginx(Checked):
    @classmethod
    def targets(cls):
        stack, root = cls.stack, page(cls.stack)
        certificates = stack.certificates
        cls.count = stack.directory / "closing.log"
        cls.nginx = cls.started(NginxServers(stack.directory, {
            "plain": f"""
                listen 127.0.0.1:@port@; root {root}; gzip on; gzip_types *; client_max_body_size 1k;
                if_modified_since before;
                add_header X-Long {"x" * 3000}; add_header X-Longer {"y" * 3900};
                location /private/ {{ alias {root}/; auth_basic "staff"; auth_basic_user_file {root}/passwords; }}
                location /closing {{ access_log {cls.count}; return 444; }}
                location /upload {{ proxy_pass http://127.0.0.1:{stack.upstream.port}; }}
                location /teapot {{ return 418 "short and stout"; }}""",
            "names": f"listen 127.0.0.1:@port@ ssl; {tls(certificates.good)} return 200 'the default site';",
            "client": f"""
                listen 127.0.0.1:@port@ ssl; {tls(certificates.good)} return 200 "hello $ssl_client_s_dn";
                ssl_verify_client on; ssl_client_certificate {certificates.ca};""",
            "other": f"""server_name elsewhere.invalid; listen 127.0.0.1:@port names@ ssl; {tls(certificates.misnamed)}
                return 200 'the other site';""",
        }))
        url = cls.nginx.url
        own = f'cert_file = "{certificates.good}.pem", key_file = "{certificates.good}.key"'
        return {
            "gzip": (url("plain", "/long.txt"), 'content_encodings = ["gzip"]\nregex = ["Its end"]'),
            "identity": (url("plain", "/long.txt"), 'content_encodings = ["identity"]\nregex = ["Its end"]'),
            "range": (url("plain", "/long.txt"),
                      'headers = { Range = "bytes=0-9" }\nstatus = [206]\nregex = ["^A line of $"]\n'
                      'content_encodings = ["identity"]'),
            "unchanged": (url("plain", "/long.txt"),
                          'headers = { If-Modified-Since = "Sat, 01 Jan 2124 00:00:00 GMT" }\nstatus = [304]'),
            "directory": (url("plain", "/inner"), 'regex = ["Welcome inside"]\nfinal_url = "/inner/$"'),
            "private": (url("plain", "/private/long.txt"), USER),
            "private-wrong": (url("plain", "/private/long.txt"), USER.replace(PASSWORD, "guess")),
            "private-nobody": (url("plain", "/private/long.txt"), 'expect_headers = [{ header = "WWW-Authenticate", '
                                                                  'pattern = "^Basic realm=.staff.$" }]'),
            "teapot": (url("plain", "/teapot"), "status = [418]"),
            "closing": (url("plain", "/closing"), ""),
            "upload": (url("plain", "/upload"), f'method = "POST"\nbody_file = "{root}/upload"'),
            "options": (url("plain", "/"), 'method = "OPTIONS"'),
            "site": (url("names", scheme="https", host="localhost"), 'regex = ["the default site"]'),
            "other-site": (url("names", scheme="https", host="elsewhere.invalid"),
                           'regex = ["the other site"]\nresolve = "127.0.0.1"'),
            "client": (url("client", scheme="https"), f'regex = ["hello CN=good"]\ntls = {{ {own} }}'),
            "no-client": (url("client", scheme="https"), ""),
        }

    def test_codings(self):
        self.assert_up("gzip", "identity")
        for name in ("gzip", "identity"):
            self.assertEqual(self.sonde.value("probe_http_uncompressed_body_length", target=name), len(LONG_TEXT))
        self.assertIsNone(self.sonde.value("probe_http_content_length", target="gzip"), "it is sent in chunks")
        self.assertEqual(self.sonde.value("probe_http_content_length", target="identity"), len(LONG_TEXT))

    def test_status_codes_that_are_expected(self):
        for name, status in (("range", 206), ("unchanged", 304), ("teapot", 418)):
            self.assert_up(name, status=status)

    def test_directory_redirects(self):
        self.assert_up("directory")
        self.assertEqual(self.sonde.value("probe_http_redirects", target="directory"), 1)

    def test_basic_authentication(self):
        self.assert_up("private")
        self.assert_down("private-wrong", "unexpected_status", "401")
        self.assert_down("private-nobody", "unexpected_status", "401")
        met = {labels["name"]: value for labels, value in self.sonde.samples("probe_expectation_met",
                                                                             target="private-nobody")}
        self.assertEqual(met, {"status": 0, "WWW-Authenticate": 1})
        self.assert_nothing_is_told()

    def test_a_connection_that_is_closed_without_an_answer_was_asked_once(self):
        """Others ask again until the deadline (BBE#1453)."""
        self.assert_down("closing", "connection_reset")
        checks = self.sonde.value("probe_checks_total", target="closing", result="failure")
        asked = len(self.count.read_text().splitlines())
        # Between the two questions may have been another check.
        self.assertIn(asked, (checks, checks + 1))

    def test_an_upload_that_is_refused_before_its_end(self):
        self.assert_down("upload", "unexpected_status", "413")

    def test_a_method_that_is_not_allowed(self):
        self.assert_down("options", "unexpected_status", "405")

    def test_sites_by_name(self):
        self.assert_up("site", "other-site")
        for name, subject in (("site", "CN=good"), ("other-site", "CN=misnamed")):
            self.assertEqual(self.sonde.samples("probe_ssl_last_chain_info", target=name)[0][0]["subject"], subject)

    def test_client_certificates(self):
        self.assert_up("client")
        self.assert_down("no-client", "unexpected_status", "400")
        self.assertEqual(self.sonde.value("probe_tls_verified", target="no-client"), 1)


class RealHaproxy(Checked):
    @classmethod
    def targets(cls):
        certificates = cls.stack.certificates
        secure = f"mode http\nbind 127.0.0.1:@port@ ssl crt {certificates.bundle('good')}"
        welcome = 'http-request return status 200 content-type text/plain string "Welcome"'
        cls.haproxy = cls.started(Haproxy(cls.stack.directory, {
            "plain": f"""mode http
                bind 127.0.0.1:@port@
                http-request early-hint Link "</style.css>; rel=preload" if {{ path /hints }}
                http-request deny deny_status 429 if {{ path /often }}
                http-request reject if {{ path /rejected }}
                http-request redirect scheme https code 308 if {{ path /to-https }}
                http-request redirect location /hints code 303 if {{ path /see-other }}
                server one 127.0.0.1:{cls.stack.upstream.port}""",
            "down": f"mode http\nbind 127.0.0.1:@port@\nretries 0\nserver one 127.0.0.1:{free_ports(1)[0]}",
            "client": f"{secure} verify required ca-file {certificates.ca}\n{welcome}",
            "client12": f"{secure} ssl-max-ver TLSv1.2 verify required ca-file {certificates.ca}\n{welcome}",
            "new": f"{secure} ssl-min-ver TLSv1.3\n{welcome}",
            "strict": f"{secure} strict-sni\n{welcome}",
        }))
        url = cls.haproxy.url
        own = f'cert_file = "{certificates.good}.pem", key_file = "{certificates.good}.key"'
        stranger = f'cert_file = "{certificates.untrusted}.pem", key_file = "{certificates.untrusted}.key"'
        targets = {
            "hints": (url("plain", "/hints"), ""),
            "see-other": (url("plain", "/see-other"), 'method = "POST"\nbody = "a=1"'),
            "often": (url("plain", "/often"), ""),
            "rejected": (url("plain", "/rejected"), ""),
            "to-https": (url("plain", "/to-https"), ""),
            "down": (url("down"), ""),
            "new": (url("new", scheme="https"), 'tls = { expect_versions = ["1.3"] }'),
            "too-old": (url("new", scheme="https"), 'tls = { max_version = "1.2" }'),
            "strict": (url("strict", scheme="https", host="localhost"), 'regex = ["Welcome"]'),
            "strict-other": (url("strict", scheme="https", host="shop.example"), 'resolve = "127.0.0.1"'),
        }
        for name in ("client", "client12"):
            targets[name] = url(name, scheme="https"), f"tls = {{ {own} }}"
            targets[f"{name}-none"] = url(name, scheme="https"), ""
            targets[f"{name}-stranger"] = url(name, scheme="https"), f"tls = {{ {stranger} }}"
        return targets

    def test_an_interim_response_is_not_the_response(self):
        self.assert_up("hints")
        self.assertEqual(self.sonde.value("probe_http_uncompressed_body_length", target="hints"), 2)

    def test_redirects(self):
        self.assert_up("see-other")
        methods = {request.split(" ")[0] for request in self.stack.upstream.seen()}
        self.assertEqual(methods, {"GET"}, "a 303 is followed by GET")
        # To the very port that speaks no TLS.
        self.assert_down("to-https", "tls_handshake", "TLS handshake")
        self.assertEqual(self.sonde.value("probe_http_redirects", target="to-https"), 1)

    def test_what_it_refuses(self):
        self.assert_down("often", "unexpected_status", "429")
        self.assert_down("down", "unexpected_status", "503")
        self.assert_down("rejected", "connection_reset")

    def test_client_certificates(self):
        self.assert_up("client", "client12")
        for name in ("client-none", "client-stranger", "client12-none", "client12-stranger"):
            self.assert_down(name, "tls_alert")
        # In TLS 1.3 the handshake is over for the client before the server has its certificate.
        for name in ("client-none", "client-stranger"):
            self.assertEqual(self.sonde.value("probe_tls_verified", target=name), 1)

    def test_versions_and_names_of_tls(self):
        self.assert_up("new", "strict")
        self.assert_down("too-old", "tls_alert", "version")
        self.assert_down("strict-other", "tls_alert")


class RealCaddy(Checked):
    @classmethod
    def targets(cls):
        root, good = page(cls.stack), cls.stack.certificates.good
        lines = f"""
            root * {root}
            encode zstd gzip
            redir /old /long.txt permanent
            handle /dead {{
                reverse_proxy 127.0.0.1:{free_ports(1)[0]}
            }}
            handle /aborted {{
                abort
            }}
            handle {{
                file_server
            }}"""
        cls.caddy = cls.started(Caddy(cls.stack.directory, {
            "plain": lines, "tls": f"{lines}\ntls {good}.pem {good}.key",
            "client": f"""
                respond "Welcome"
                tls {good}.pem {good}.key {{
                    client_auth {{
                        mode require_and_verify
                        trusted_ca_cert_file {cls.stack.certificates.ca}
                    }}
                }}"""}))
        secure = cls.caddy.url("tls", "/long.txt", "https", "localhost")
        own = f'cert_file = "{good}.pem", key_file = "{good}.key"'
        return {
            "zstd": (secure, 'content_encodings = ["zstd"]\nregex = ["Its end"]'),
            "gzip": (secure, 'content_encodings = ["gzip"]\nregex = ["Its end"]'),
            "identity": (secure, 'content_encodings = ["identity"]\nregex = ["Its end"]'),
            "old": (cls.caddy.url("tls", "/old", "https", "localhost"), 'final_url = "/long.txt$"'),
            "directory": (cls.caddy.url("plain", "/inner"), 'regex = ["Welcome inside"]'),
            "missing": (cls.caddy.url("plain", "/missing"), ""),
            # (Of a compressed page this caddy says that it has 13 bytes.)
            "head": (cls.caddy.url("plain", "/long.txt"),
                     'method = "HEAD"\ncontent_encodings = ["identity"]\nexpect_headers = ["ETag", "Last-Modified"]'),
            "dead": (cls.caddy.url("plain", "/dead"), ""),
            "aborted": (cls.caddy.url("plain", "/aborted"), ""),
            "client": (cls.caddy.url("client", scheme="https", host="localhost"), f"tls = {{ {own} }}"),
            "no-client": (cls.caddy.url("client", scheme="https", host="localhost"), ""),
            "http-at-https": (cls.caddy.url("tls"), ""),
        }

    def test_codings(self):
        self.assert_up("zstd", "gzip", "identity")
        for name in ("zstd", "gzip", "identity"):
            self.assertEqual(self.sonde.value("probe_http_uncompressed_body_length", target=name), len(LONG_TEXT))

    def test_files(self):
        self.assert_up("old", "directory", "head")
        self.assertEqual(self.sonde.value("probe_http_content_length", target="head"), len(LONG_TEXT))
        self.assert_down("missing", "unexpected_status", "404")

    def test_what_it_cannot_serve(self):
        self.assert_down("dead", "unexpected_status", "502")
        self.assert_down("aborted", "connection_reset")
        self.assert_down("http-at-https", "unexpected_status", "400")

    def test_client_certificates(self):
        self.assert_up("client")
        self.assert_down("no-client", "tls_alert")


class Http2(Checked):
    @classmethod
    def targets(cls):
        stack, root = cls.stack, page(cls.stack)
        good = stack.certificates.good
        cls.count = stack.directory / "closing2.log"
        locations = f"""root {root}; gzip on; gzip_types *; client_max_body_size 1k;
            location /closing {{ access_log {cls.count}; return 444; }}
            location /upload {{ proxy_pass http://127.0.0.1:{stack.upstream.port}; }}
            location /moved {{ return 301 /long.txt; }}"""
        cls.nginx = cls.started(NginxServers(stack.directory, {
            "tls": f"listen 127.0.0.1:@port@ ssl http2; {tls(good)} {locations}",
            "clear": f"listen 127.0.0.1:@port@ http2; {locations}",
            "only1": f"listen 127.0.0.1:@port@ ssl; {tls(good)} {locations}",
            "clear1": f"listen 127.0.0.1:@port@; {locations}",
        }))
        cls.caddy = cls.started(Caddy(stack.directory, {
            "tls": f"root * {root}\nencode zstd gzip\nfile_server\ntls {good}.pem {good}.key"}))
        cls.haproxy = cls.started(Haproxy(stack.directory, {
            "clear": 'mode http\nbind 127.0.0.1:@port@ proto h2\n'
                     'http-request return status 200 content-type text/plain string "Welcome"',
            "tls": f"mode http\nbind 127.0.0.1:@port@ ssl crt {stack.certificates.bundle('good')} alpn h2",
        }))
        both, only2, only1 = (f'http2 = "{use}"\n' for use in ("auto", "prior_knowledge", "never"))
        is2, is1 = 'http_versions = ["2"]\n', 'http_versions = ["1.1"]\n'
        whole = 'regex = ["Its end"]\n'
        secure = cls.nginx.url("tls", "/long.txt", "https")
        caddy = cls.caddy.url("tls", "/long.txt", "https", "localhost")
        return {
            "nginx": (secure, both + is2 + whole),
            "nginx-plain-text": (secure, both + is2 + whole + 'content_encodings = ["identity"]'),
            "nginx-1": (secure, only1 + is1 + whole),
            "nginx-redirect": (cls.nginx.url("tls", "/moved", "https"), both + is2 + whole),
            "nginx-head": (secure, both + is2 + 'method = "HEAD"\ncontent_encodings = ["identity"]'),
            "nginx-missing": (cls.nginx.url("tls", "/missing", "https"), both + is2),
            "nginx-closing": (cls.nginx.url("tls", "/closing", "https"), both),
            "nginx-upload": (cls.nginx.url("tls", "/upload", "https"),
                             both + f'method = "POST"\nbody_file = "{root}/upload"'),
            "caddy": (caddy, both + is2 + whole + 'content_encodings = ["zstd"]'),
            "caddy-1": (caddy, only1 + is1 + whole),
            "haproxy": (cls.haproxy.url("tls", scheme="https"), both + is2),
            "falls-back": (cls.nginx.url("only1", "/long.txt", "https"), both + whole),
            "must-not-fall-back": (cls.nginx.url("only1", "/long.txt", "https"), both + is2),
            "clear-nginx": (cls.nginx.url("clear", "/long.txt"), only2 + is2 + whole),
            "clear-haproxy": (cls.haproxy.url("clear"), only2 + is2 + 'regex = ["^Welcome$"]'),
            "clear-at-1": (cls.nginx.url("clear1", "/long.txt"), only2),
        }

    def assert_version(self, version, *names):
        for name in names:
            with self.subTest(name):
                self.assertEqual(self.sonde.value("probe_http_version", target=name), version)

    def test_over_tls(self):
        self.assert_up("nginx", "nginx-plain-text", "nginx-redirect", "nginx-head", "caddy")
        self.assert_version(2, "nginx", "nginx-plain-text", "nginx-redirect", "nginx-head", "caddy")
        for name in ("nginx", "nginx-plain-text", "nginx-redirect", "caddy"):
            self.assertEqual(self.sonde.value("probe_http_uncompressed_body_length", target=name), len(LONG_TEXT))
        self.assertEqual(self.sonde.value("probe_http_content_length", target="nginx-head"), len(LONG_TEXT))
        self.assertEqual(self.sonde.value("probe_http_redirects", target="nginx-redirect"), 1)
        self.assertLessEqual({"connect", "tls", "processing", "transfer"}, self.phases("nginx"))

    def test_what_is_not_offered_is_not_spoken(self):
        self.assert_up("nginx-1", "caddy-1", "falls-back")
        self.assert_version(1.1, "nginx-1", "caddy-1", "falls-back")
        self.assert_down("must-not-fall-back", "unexpected_protocol")

    def test_in_clear_with_prior_knowledge(self):
        self.assert_up("clear-nginx", "clear-haproxy")
        self.assert_version(2, "clear-nginx", "clear-haproxy")
        # nginx closes the connection; others say in HTTP/1.1 what they think of it.
        self.assertIn(self.sonde.targets()["clear-at-1"]["reason"], ("connection_reset", "protocol_error"))

    def test_bad_answers(self):
        self.assert_down("nginx-missing", "unexpected_status", "404")
        self.assert_down("haproxy", "unexpected_status", "503")
        self.assert_version(2, "nginx-missing", "haproxy")
        self.assert_down("nginx-upload", "unexpected_status", "413")

    def test_a_connection_that_is_closed_without_an_answer_was_asked_once(self):
        """Go's client asks again until the deadline, 2570 times in 5 s (trap 3, BBE#1453)."""
        # nginx resets the stream.
        self.assertIn(self.sonde.targets()["nginx-closing"]["reason"], ("connection_reset", "protocol_error"))
        checks = self.sonde.value("probe_checks_total", target="nginx-closing", result="failure")
        self.assertIn(len(self.count.read_text().splitlines()), (checks, checks + 1))

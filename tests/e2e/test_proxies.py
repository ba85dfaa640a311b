"""Checks through real proxies: tinyproxy and microsocks, with what they refuse and what stays measurable."""

import unittest

from lib.checked import IN_BASE64, PASSWORD, Checked
from lib.haproxy import Haproxy
from lib.microsocks import Microsocks
from lib.net import free_ports, has_ipv6
from lib.tinyproxy import Tinyproxy

# Which SOCKS5 proxies look the name up themselves.
NAME_IS_LEFT_TO_THE_PROXY = "socks5"


class HttpProxy(Checked):
    @classmethod
    def targets(cls):
        directory, nginx, upstream = cls.stack.directory, cls.stack.nginx, cls.stack.upstream
        blocked = directory / "blocked"
        blocked.write_text("^localhost$\n")
        cls.open = cls.started(Tinyproxy(directory, "open", ['ViaProxyName "sonde-e2e"']))
        cls.locked = cls.started(Tinyproxy(directory, "locked", [f"BasicAuth ann {PASSWORD}"]))
        cls.narrow = cls.started(Tinyproxy(directory, "narrow", [f'Filter "{blocked}"', "ConnectPort 443"]))
        cls.filtering = cls.started(Tinyproxy(directory, "filtering", [f'Filter "{blocked}"']))
        cls.refused = free_ports(1)[0]
        http, https = upstream.url("/forward"), nginx.url("good")

        def by(proxy, user=""):
            return f'proxy_url = "{proxy.url(user)}"'

        return {
            "forward": (http, by(cls.open)),
            "tunnel": (https, by(cls.open)),
            "tunnel-by-name": (nginx.url("good", host="localhost"), by(cls.open)),
            "tunnel-expired": (nginx.url("expired"), by(cls.open)),
            "direct": (upstream.url("/direct"), by(cls.open) + '\nno_proxy = ["127.0.0.1"]'),
            "user-forward": (upstream.url("/user"), by(cls.locked, f"ann:{PASSWORD}")),
            "user-tunnel": (https, by(cls.locked, f"ann:{PASSWORD}")),
            "header-tunnel": (https, by(cls.locked)
                              + f'\nproxy_headers = {{ Proxy-Authorization = "Basic {IN_BASE64}" }}'),
            "wrong-forward": (http, by(cls.locked, "ann:guess")),
            "wrong-tunnel": (https, by(cls.locked, "ann:guess")),
            "nobody-forward": (http, by(cls.locked)),
            "nobody-tunnel": (https, by(cls.locked)),
            "port-denied": (https, by(cls.narrow)),
            "filtered-forward": (nginx.url(host="localhost"), by(cls.filtering)),
            "filtered-tunnel": (nginx.url("good", host="localhost"), by(cls.filtering)),
            "unfiltered": (nginx.url(), by(cls.filtering)),
            "refused-forward": (f"http://127.0.0.1:{cls.refused}/", by(cls.open)),
            "refused-tunnel": (f"https://127.0.0.1:{cls.refused}/", by(cls.open)),
            "no-proxy-there": (http, f'proxy_url = "http://127.0.0.1:{cls.refused}"'),
            "no-http-proxy": (https, f'proxy_url = "{nginx.url()}"'),
            "no-such-proxy": (http, 'proxy_url = "http://no-such-name.invalid:3128"'),
            "unknown-tunnel": ("https://no-such-name.invalid/", by(cls.open)),
            "silent": (upstream.url("/silent"), by(cls.open) + '\ntimeout = "500ms"'),
        }

    def test_http_is_forwarded_and_https_tunnelled(self):
        self.assert_up("forward", "tunnel", "tunnel-by-name", "unfiltered")
        forwarded = [request for request in self.stack.upstream.seen() if request.startswith("GET /forward ")]
        self.assertIn("\r\nvia: 1.1 sonde-e2e (tinyproxy/", forwarded[0].lower())
        self.assertIn(f"\r\nhost: 127.0.0.1:{self.stack.upstream.port}\r\n", forwarded[0].lower())
        self.assertIn(f"CONNECT localhost:{self.stack.nginx.ports['good']} ", self.open.log)

    def test_what_no_proxy_names_is_asked_directly(self):
        self.assert_up("direct")
        direct = [request for request in self.stack.upstream.seen() if request.startswith("GET /direct ")]
        self.assertNotIn("\r\nvia:", direct[0].lower())

    def test_phases_are_measured_through_a_proxy(self):
        self.assertLessEqual({"connect", "processing", "transfer"}, self.phases("forward"))
        self.assertNotIn("tls", self.phases("forward"))
        self.assertLessEqual({"connect", "tls", "processing", "transfer"}, self.phases("tunnel"))
        self.assertEqual(self.phases("silent") & {"connect", "processing", "transfer"}, {"connect"})

    def test_tls_through_a_tunnel_is_the_servers(self):
        self.assertEqual(self.sonde.value("probe_tls_verified", target="tunnel"), 1)
        self.assertEqual(self.sonde.samples("probe_ssl_last_chain_info", target="tunnel")[0][0]["subject"], "CN=good")
        self.assertIsNone(self.sonde.value("probe_tls_verified", target="forward"))
        self.assert_down("tunnel-expired", "certificate_expired", "expired")
        self.assertIsNotNone(self.sonde.value("probe_ssl_earliest_cert_expiry", target="tunnel-expired"))

    def test_user_and_password(self):
        self.assert_up("user-forward", "user-tunnel", "header-tunnel")
        # This proxy says 401 where a user is wrong, 407 where none is named. To a forwarded request its answer looks
        # like the server's.
        self.assert_down("wrong-tunnel", "proxy_failed", "CONNECT", "401")
        self.assert_down("nobody-tunnel", "proxy_failed", "CONNECT", "407")
        self.assert_down("wrong-forward", "unexpected_status", "401")
        self.assert_down("nobody-forward", "proxy_failed", "407")
        for request in self.stack.upstream.seen():
            self.assertNotIn("proxy-authorization", request.lower())
        self.assert_nothing_is_told()

    def test_what_a_proxy_denies(self):
        self.assert_down("port-denied", "proxy_failed", "CONNECT", "403")
        self.assert_down("filtered-tunnel", "proxy_failed", "CONNECT", "403")
        self.assert_down("filtered-forward", "unexpected_status", "403")
        for name in ("port-denied", "filtered-tunnel"):
            self.assertIsNone(self.sonde.value("probe_http_status_code", target=name), "that of no server")

    def test_what_a_proxy_cannot_reach(self):
        self.assert_down("refused-tunnel", "proxy_failed", "CONNECT")
        self.assert_down("unknown-tunnel", "proxy_failed", "CONNECT")
        self.assert_down("refused-forward", "unexpected_status", "500")
        self.assert_down("silent", "timeout")

    def test_proxies_that_are_none(self):
        self.assert_down("no-proxy-there", "proxy_failed", str(self.refused))
        self.assert_down("no-http-proxy", "proxy_failed", "CONNECT")
        self.assert_down("no-such-proxy", "proxy_failed", "no-such-name.invalid")


class Socks5Proxy(Checked):
    @classmethod
    def targets(cls):
        directory, nginx = cls.stack.directory, cls.stack.nginx
        cls.open = cls.started(Microsocks(directory, "open"))
        cls.locked = cls.started(Microsocks(directory, "locked", "ann", PASSWORD))
        cls.naming = cls.started(Microsocks(directory, "naming"))
        cls.refused = free_ports(1)[0]

        def by(proxy, user="", scheme="socks5"):
            return f'proxy_url = "{scheme}://{proxy.address(user)}"'

        targets = {
            "http": (nginx.url(), by(cls.open)),
            "https": (nginx.url("good"), by(cls.open)),
            "expired": (nginx.url("expired"), by(cls.open)),
            "user": (nginx.url(), by(cls.locked, f"ann:{PASSWORD}")),
            "user-https": (nginx.url("good"), by(cls.locked, f"ann:{PASSWORD}")),
            "wrong": (nginx.url(), by(cls.locked, "ann:guess")),
            "nobody": (nginx.url(), by(cls.locked)),
            "user-not-asked-for": (nginx.url(), by(cls.open, f"ann:{PASSWORD}")),
            "name": (nginx.url("good", host="localhost"), by(cls.naming, scheme=NAME_IS_LEFT_TO_THE_PROXY)),
            "unknown": ("http://no-such-name.invalid/", by(cls.naming, scheme=NAME_IS_LEFT_TO_THE_PROXY)),
            "refused": (f"http://127.0.0.1:{cls.refused}/", by(cls.open)),
            "no-proxy-there": (nginx.url(), f'proxy_url = "socks5://127.0.0.1:{cls.refused}"'),
            "no-socks": (nginx.url(), f'proxy_url = "socks5://127.0.0.1:{nginx.ports["plain"]}"'),
        }
        if has_ipv6():
            targets["ipv6"] = (nginx.url(host="[::1]"), by(cls.open))
            targets["ipv6-https"] = (nginx.url("good", host="[::1]"), by(cls.open))
        return targets

    def test_http_and_https(self):
        self.assert_up("http", "https", "user-not-asked-for")
        self.assertLessEqual({f"127.0.0.1:{self.stack.nginx.ports[name]}" for name in ("plain", "good")},
                             self.open.went_to())
        self.assertLessEqual({"connect", "processing", "transfer"}, self.phases("http"))
        self.assertLessEqual({"connect", "tls", "processing", "transfer"}, self.phases("https"))
        self.assertEqual(self.sonde.value("probe_tls_verified", target="https"), 1)
        self.assert_down("expired", "certificate_expired", "expired")

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_ipv6(self):
        self.assert_up("ipv6", "ipv6-https")
        self.assertIn(f"::1:{self.stack.nginx.ports['good']}", {to.replace("[", "").replace("]", "")
                                                                for to in self.open.went_to()})

    def test_user_and_password(self):
        self.assert_up("user", "user-https")
        self.assert_down("wrong", "proxy_failed")
        self.assert_down("nobody", "proxy_failed")
        self.assert_nothing_is_told()

    def test_names_are_looked_up_by_the_proxy(self):
        self.assert_up("name")
        self.assertIn(f"localhost:{self.stack.nginx.ports['good']}", self.naming.went_to())
        self.assertIsNone(self.sonde.value("probe_http_duration_seconds", target="name", phase="resolve"))
        self.assert_down("unknown", "proxy_failed")

    def test_what_cannot_be_reached(self):
        self.assert_down("refused", "proxy_failed")
        self.assert_down("no-proxy-there", "proxy_failed", str(self.refused))
        self.assert_down("no-socks", "proxy_failed")


class ProxyOverTls(Checked):
    """haproxy puts TLS before tinyproxy."""

    @classmethod
    def targets(cls):
        stack = cls.stack
        cls.proxy = cls.started(Tinyproxy(stack.directory,
                                          rules=['ViaProxyName "sonde-e2e"', f"BasicAuth ann {PASSWORD}"]))
        back = f"server one 127.0.0.1:{cls.proxy.port}"
        cls.front = cls.started(Haproxy(stack.directory, {
            name: f"mode tcp\nbind 127.0.0.1:@port@ ssl crt {stack.certificates.bundle(name)}\n{back}"
            for name in ("good", "expired")}))

        def by(name, host="127.0.0.1"):
            return f'proxy_url = "https://ann:{PASSWORD}@{host}:{cls.front.ports[name]}"'

        return {
            "forward": (stack.upstream.url("/forward"), by("good")),
            "tunnel": (stack.nginx.url("good"), by("good", "localhost")),
            "tunnel-expired": (stack.nginx.url("expired"), by("good")),
            "expired-forward": (stack.nginx.url(), by("expired")),
            "expired-tunnel": (stack.nginx.url("good"), by("expired")),
        }

    def test_forwarded_and_tunnelled(self):
        self.assert_up("forward", "tunnel")
        self.assertIn("\r\nvia: 1.1 sonde-e2e", self.stack.upstream.seen()[0].lower())
        self.assertEqual(self.sonde.value("probe_http_ssl", target="forward"), 0, "the target's TLS, not the proxy's")
        self.assertEqual(self.sonde.value("probe_http_ssl", target="tunnel"), 1)
        self.assert_nothing_is_told()

    def test_the_facts_are_those_of_the_server(self):
        self.assert_down("tunnel-expired", "certificate_expired")
        self.assertEqual(self.sonde.samples("probe_ssl_last_chain_info", target="tunnel-expired")[0][0]["subject"],
                         "CN=expired")
        self.assertEqual(self.sonde.samples("probe_ssl_last_chain_info", target="forward"), [])

    def test_a_proxy_that_cannot_be_trusted_is_told_nothing(self):
        self.assert_down("expired-forward", "proxy_failed", "expired")
        self.assert_down("expired-tunnel", "proxy_failed", "expired")


class ProxyFromEnvironment(Checked):
    """The proxy is a server that answers all that it is asked, as those of the environment are not for this machine."""

    @classmethod
    def targets(cls):
        asked = "proxy_from_environment = true"
        return {
            "forward": ("http://shop.example/forward", asked),
            "tunnel": ("https://shop.example/", asked),
            "excepted": ("http://shop.elsewhere.invalid/", asked),
            "loopback": (cls.stack.upstream.url("/loopback"), asked),
            "not-asked-for": (cls.stack.upstream.url("/not-asked-for"), ""),
        }

    @classmethod
    def environment(cls):
        proxy = cls.stack.upstream.url("/")
        return {"http_proxy": proxy, "HTTP_PROXY": proxy, "https_proxy": proxy, "HTTPS_PROXY": proxy,
                "no_proxy": "elsewhere.invalid", "NO_PROXY": "elsewhere.invalid"}

    def test_only_where_it_is_asked_for(self):
        self.assert_up("forward", "loopback", "not-asked-for")
        # This server's 200 is no tunnel.
        self.assert_down("tunnel", "proxy_failed", "shop.example")
        self.assert_down("excepted", "resolve_failed", "shop.elsewhere.invalid")
        asked = {" ".join(request.split(" ")[:2]) for request in self.stack.upstream.seen()}
        self.assertEqual(asked, {"GET http://shop.example/forward", "CONNECT shop.example:443", "GET /loopback",
                                 "GET /not-asked-for"})

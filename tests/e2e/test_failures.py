"""Servers that fail, as Prometheus sees them: nginx is killed and comes back, and every reason has its series."""

import unittest

from lib.net import free_ports
from lib.stack import Stack

TARGET = """
[[target]]
name = "{name}"
url = "{url}"
tls = {{ ca_file = "{ca}" }}
{more}
"""


class NginxComesAndGoes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.sonde = cls.stack.sonde(f"""
[[target]]
name = "site"
url = "{cls.stack.nginx.url()}"
interval = "500ms"
timeout = "400ms"
""").start()
        cls.prometheus = cls.stack.prometheus(cls.sonde)

    def test_success_and_reason_follow(self):
        ask = self.prometheus
        ask.wait('probe_success{target="site"} == 1')
        succeeded = ask.query('probe_checks_total{target="site",result="success"}')[0][1]
        self.assertEqual(ask.query('probe_failure_info{target="site"}'), [])

        self.stack.nginx.stop()
        ask.wait('probe_success{target="site"} == 0')
        ask.wait('probe_failure_info{target="site",reason="connect_refused"} == 1')
        ask.wait('probe_failures_total{target="site",reason="connect_refused"} >= 2')
        # What was not measured is absent, and the last success keeps its time.
        ask.wait('absent(probe_http_status_code{target="site"})')
        self.assertEqual(ask.query('probe_http_duration_seconds{target="site"}'), [])
        self.assertEqual(ask.query('probe_tcp_rtt_seconds{target="site"}'), [])
        self.assertTrue(ask.query('probe_last_success_timestamp_seconds{target="site"} < '
                                  'probe_last_check_timestamp_seconds'))

        self.stack.nginx.start()
        ask.wait('probe_success{target="site"} == 1')
        ask.wait('absent(probe_failure_info{target="site"})')
        ask.wait(f'probe_checks_total{{target="site",result="success"}} > {succeeded + 1}')
        self.assertTrue(ask.query('probe_failures_total{target="site",reason="connect_refused"} >= 2'),
                        "counters stay when things are good again")
        # Each check is in exactly one of the two counters.
        self.assertTrue(ask.query('probe_checks_total{target="site",result="failure"} == on (target) '
                                  'sum by (target) (probe_failures_total)'))


class Reasons(unittest.TestCase):
    def test_each_reason_has_its_series_and_its_words(self):
        stack = Stack()
        self.addCleanup(stack.close)
        nginx, upstream = stack.nginx, stack.upstream
        refused = free_ports(1)[0]
        cases = {
            # name: (url, more settings, reason, what the detail says)
            "silent": (nginx.url(path="/silent"), 'timeout = "500ms"', "timeout", "ms"),
            "unknown": ("http://no-such-name.invalid/", "", "resolve_failed", "no-such-name.invalid"),
            "refused": (f"http://127.0.0.1:{refused}/", "", "connect_refused", "connecting"),
            "nowhere": ("http://224.0.0.1/", "", "unreachable", "224.0.0.1:80"),
            "reset": (upstream.url("/reset"), "", "connection_reset", "127.0.0.1"),
            "no-tls": (nginx.url().replace("http:", "https:"), "", "tls_handshake", "TLS handshake"),
            "expired": (nginx.url("expired"), "", "certificate_expired", "expired"),
            "misnamed": (nginx.url("misnamed"), "", "certificate_name", "127.0.0.1"),
            "untrusted": (nginx.url("untrusted"), "", "certificate_untrusted", "issuer"),
            "garbage": (upstream.url("/garbage"), "", "protocol_error", "response"),
            "short": (upstream.url("/short"), "", "protocol_error", "response"),
            "cut-gzip": (upstream.url("/cut-gzip"), "", "decode_error", "compressed"),
            "loop": (upstream.url("/loop"), "", "too_many_redirects", "redirects again"),
            "large": (nginx.url(), "max_body = 10", "body_too_large", "10"),
            "error": (nginx.url(path="/status/500"), "", "unexpected_status", "500"),
            "words": (nginx.url(), 'regex = "Goodbye"', "unexpected_content", "Goodbye"),
        }
        # Long enough that a busy machine adds no timeout of its own.
        config = '[defaults]\ninterval = "3s"\ntimeout = "3s"\n' + "".join(
            TARGET.format(name=name, url=url, ca=stack.certificates.ca, more=more)
            for name, (url, more, _, _) in cases.items())
        sonde = stack.sonde(config).start()
        prometheus = stack.prometheus(sonde)
        for name, (_, _, reason, words) in cases.items():
            with self.subTest(name):
                prometheus.wait(f'probe_failure_info{{target="{name}",reason="{reason}"}} == 1')
                prometheus.wait(f'probe_failures_total{{target="{name}",reason="{reason}"}} >= 1')
                self.assertEqual(len(prometheus.query(f'probe_failures_total{{target="{name}"}}')), 1)
                target = sonde.targets()[name]
                self.assertEqual((target["state"], target["reason"]), ("down", reason))
                self.assertIn(words, target["detail"])
        for name in ("expired", "misnamed", "untrusted"):
            with self.subTest(f"facts of {name}"):
                self.assertTrue(prometheus.query(f'probe_tls_verified{{target="{name}"}} == 0'))
                self.assertTrue(prometheus.query(f'probe_ssl_earliest_cert_expiry{{target="{name}"}} > 0'))
                self.assertTrue(prometheus.query(f'probe_ssl_last_chain_info{{target="{name}"}}'))
        self.assertTrue(prometheus.query('probe_ssl_earliest_cert_expiry{target="expired"} < time()'))

"""What a target asks for and expects, against a real nginx: verdicts by name, and the confirmed state."""

import unittest

from lib.net import wait_for
from lib.stack import Stack

CONFIG = """
[defaults]
interval = "1s"
timeout = "900ms"

[[target]]
name = "shop"
url = "{https}"
tls = {{ ca_file = "{ca}", expect_versions = ["1.3"], expect_ciphers = ["NULL"] }}
expect_headers = [
  {{ header = "Server", pattern = "^nginx" }},
  {{ header = "X-Powered-By", expect = "absent" }},
  "Strict-Transport-Security",
]
content_encodings = ["identity"]
http_versions = ["1.1"]
final_url = "^https://"
min_body = "10B"
min_cert_validity = "1h"
max_rtt = "1us"
max_phase = {{ connect = "10m" }}

[[target]]
name = "head"
url = "{http}"
method = "HEAD"
user_agent = "Mozilla/5.0"

[[target]]
name = "post"
url = "{upstream}"
method = "POST"
body = '{{"a": 1}}'
basic_auth = {{ username = "ann", password = "secret" }}
ip_protocol = "ip4"
ip_protocol_fallback = false

[[target]]
name = "confirmed"
url = "{http}"
interval = "2s"
confirm = 2
failures_to_down = 3
successes_to_up = 2
"""


class Expectations(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)
        self.sonde = self.stack.sonde(CONFIG.format(
            https=self.stack.nginx.url("good", host="localhost"), http=self.stack.nginx.url(),
            upstream=self.stack.upstream.url("/ok"), ca=self.stack.certificates.ca))
        self.sonde.start()
        wait_for("a check of each target", lambda: len(self.sonde.samples("probe_success")) == 4)

    def test_every_verdict_has_its_name(self):
        met = {labels["name"]: value for labels, value in self.sonde.samples("probe_expectation_met", target="shop")}
        self.assertEqual(met, {
            "status": 1, "Server": 1, "X-Powered-By": 1, "Strict-Transport-Security": 0, "tls_version": 1, "tls_cipher": 0,
            "content_encoding": 1, "http_version": 1, "final_url": 1, "min_body": 1, "min_cert_validity": 1, "max_rtt": 0,
            "max_connect": 1})
        self.assertEqual(self.sonde.targets()["shop"]["reason"], "unexpected_protocol")

    def test_requests_are_as_they_are_asked_for(self):
        self.assertEqual(self.sonde.value("probe_success", target="head"), 1)
        self.assertEqual(self.sonde.value("probe_success", target="post"), 1)
        request = self.stack.upstream.seen()[0]
        self.assertTrue(request.startswith("POST /ok HTTP/1.1\r\n"), request)
        self.assertIn("\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n", request)
        self.assertIn("\r\nContent-Length: 8\r\n", request)

    def test_a_failure_is_confirmed_at_once(self):
        self.assertEqual(self.sonde.value("probe_up", target="confirmed"), 1)
        self.stack.nginx.stop()
        wait_for("a confirmed failure", lambda: self.sonde.value("probe_up", target="confirmed") == 0)
        failed = self.sonde.value("probe_checks_total", target="confirmed", result="failure")
        # Three within a moment; by the time of the question a fourth may have come at its interval.
        self.assertIn(failed, (3, 4))
        self.stack.nginx.start()
        wait_for("recovery", lambda: self.sonde.value("probe_up", target="confirmed") == 1)

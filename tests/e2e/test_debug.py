"""The debug page: a check that is made for it, with each step, of good and bad servers; and what it does not show."""

import http.client
import json
import urllib.parse
import unittest

from lib.net import request, wait_for
from lib.stack import Stack

TARGET = """
[[target]]
name = "{name}"
url = "{url}"
tls = {{ ca_file = "{ca}" }}
regex = ["Welcome"]
"""


class Debug(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        nginx = cls.stack.nginx
        urls = {"shop": nginx.url("good", "/login", host="localhost"), "expired": nginx.url("expired"),
                "misnamed": nginx.url("misnamed"), "untrusted": nginx.url("untrusted"),
                "silent & slow": cls.stack.upstream.url("/silent")}
        # One check each in the life of the test, beside those that are asked for.
        config = '[defaults]\ninterval = "1h"\ntimeout = "2s"\n' + "".join(
            TARGET.format(name=name, url=url, ca=cls.stack.certificates.ca) for name, url in urls.items())
        cls.sonde = cls.stack.sonde(config).start()

    def ask(self, name, **more):
        return self.sonde.get("/debug/probe?" + urllib.parse.urlencode({"target": name, **more}))

    def report(self, name):
        answer = self.ask(name, format="json")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"))
        return json.loads(answer.text)

    def test_redirects_tls_and_expectations(self):
        report = self.report("shop")
        self.assertEqual((report["success"], report["kind"]), (True, "http"))
        self.assertEqual([hop["status"] for hop in report["hops"]], [302, 200])
        for hop in report["hops"]:
            self.assertEqual([phase["phase"] for phase in hop["phases"]],
                             ["resolve", "connect", "tls", "processing", "transfer"][:len(hop["phases"])])
            self.assertGreater(hop["phases_seconds"], 0)
            self.assertTrue(hop["address"].endswith(f":{self.stack.nginx.ports['good']}"))
            self.assertEqual(hop["tls"]["ocsp"]["status"], "good")
            self.assertEqual(hop["tls"]["trust_anchor"], "CN=sonde e2e root")
        self.assertEqual([each["met"] for each in report["expectations"] if "Welcome" in each["name"]], [True])

        page = self.ask("shop")
        self.assertEqual(page.status, 200)
        self.assertIn("text/html", page.headers["Content-Type"])
        policy = page.headers["Content-Security-Policy"]
        self.assertTrue(policy.startswith("default-src 'none'"), policy)
        self.assertNotIn("unsafe", policy)
        for words in ("success", "Hop 1", "Hop 2", "resolve", "TLS 1.3", "CN=good", "CN=sonde e2e root", "Verified chain",
                      "OCSP staple", "Welcome", "session=&lt;hidden&gt;; HttpOnly"):
            self.assertIn(words, page.text)
        for text in (page.text, json.dumps(report)):
            self.assertNotIn("of-nobody", text, "a cookie or a code that was for Sonde alone")

    def test_bad_certificates_have_all_their_facts(self):
        for name, reason, error, anchor in (
                ("expired", "certificate_expired", "CERT_HAS_EXPIRED", "CN=sonde e2e root"),
                ("misnamed", "certificate_name", "IP_ADDRESS_MISMATCH", "CN=sonde e2e root"),
                ("untrusted", "certificate_untrusted", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", None)):
            with self.subTest(name):
                report = self.report(name)
                self.assertEqual((report["success"], report["reason"], report["failed_in_hop"]), (False, reason, 1))
                hop = report["hops"][0]
                self.assertEqual([phase["phase"] for phase in hop["phases"]], ["connect", "tls"])
                tls = hop["tls"]
                self.assertIs(tls["verified"], False)
                self.assertIn(error, [each["name"] for each in tls["verification_errors"]])
                self.assertEqual(tls.get("trust_anchor"), anchor)
                sent = tls["sent_chain"][0]
                self.assertEqual((sent["subject"], sent["key_type"], sent["key_bits"], sent["signature_algorithm"]),
                                 (f"CN={name}", "EC", 256, "ecdsa-with-SHA256"))
                self.assertRegex(sent["serial"], "^[0-9a-f]+$")
                self.assertEqual(tls["ocsp"], {"stapled": False})
                page = self.ask(name).text
                for words in (f"failed: {reason}", error, f"CN={name}", "in hop 1, after connect, tls",
                              "without approving it"):
                    self.assertIn(words, page)

    def test_nothing_of_it_is_recorded(self):
        count = 'probe_checks_total{target="shop"'
        wait_for("the check of the schedule", lambda: self.sonde.targets()["shop"]["state"] == "up")
        before = [line for line in self.sonde.page().splitlines() if line.startswith(count)]
        self.report("shop")
        after = [line for line in self.sonde.page().splitlines() if line.startswith(count)]
        self.assertEqual(len(before), 2)
        self.assertEqual(after, before)

    def test_wrong_questions(self):
        self.assertEqual(self.ask("nobody").status, 404)
        self.assertIn("/api/targets?q=", self.ask("nobody").text)
        self.assertEqual(self.sonde.get("/debug/probe").status, 400)
        head = request(self.sonde.url("/debug/probe?target=shop"), method="HEAD")
        self.assertEqual((head.status, head.headers["Allow"]), (405, "GET"))

    def test_few_at_a_time_and_the_rest_of_the_server_goes_on(self):
        host, port = self.sonde.address.rsplit(":", 1)
        path = "/debug/probe?format=json&target=" + urllib.parse.quote("silent & slow")
        slow = [http.client.HTTPConnection(host, int(port), timeout=30) for _ in range(2)]
        seen = len(self.stack.upstream.seen())
        for connection in slow:
            self.addCleanup(connection.close)
            connection.request("GET", path)
        wait_for("both checks", lambda: len(self.stack.upstream.seen()) >= seen + 2)
        refused = self.ask("shop")
        self.assertEqual((refused.status, refused.headers["Retry-After"]), (429, "5"))
        self.assertEqual(self.sonde.get("/-/healthy").status, 200)
        for connection in slow:
            report = json.loads(connection.getresponse().read())
            self.assertEqual((report["reason"], report["failed_in_hop"]), ("timeout", 1))
            self.assertEqual([phase["phase"] for phase in report["hops"][0]["phases"]], ["connect"])
        self.assertEqual(self.ask("shop").status, 200)

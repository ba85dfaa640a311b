"""The program as a user and an init system run it: options, one check by hand, where it listens, how it ends."""

import json
import re
import signal
import time
import unittest

from lib.net import has_ipv6, request, request_unix, wait_for
from lib.process import Process
from lib.sonde import BINARY, run
from lib.stack import Stack

CONFIG = """
[[target]]
name = "site"
url = "{url}"
interval = "500ms"
"""


class Options(unittest.TestCase):
    def test_version_and_help(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^sonde \d+\.\d+\.\d+")
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--config.file", "--config.check", "--web.listen-address", "--log.level", "--log.format",
                       "--version", "--help", "probe"):
            self.assertIn(option, done.stdout)

    def test_unknown_option(self):
        done = run("--config.fil", "x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--config.fil", done.stderr)


class Probe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.config = cls.stack.directory / "modules.toml"
        cls.config.write_text(f'[modules.shop]\ntls = {{ ca_file = "{cls.stack.certificates.ca}" }}\n'
                              'regex = ["Welcome"]\n')

    def probe(self, url, *words):
        return run("probe", url, "--config.file", self.config, *words)

    def test_waterfall(self):
        done = self.probe(self.stack.nginx.url("good", "/moved", host="localhost"), "--module", "shop")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("success", "resolve", "connect", "tls", "processing", "transfer", "ms", "200", "301", "CN=good",
                     "TLS 1.3", "Welcome"):
            self.assertIn(word, done.stdout)
        self.assertNotIn("\x1b", done.stdout, "colours are for terminals")

    def test_json(self):
        done = self.probe(self.stack.nginx.url("good"), "--module", "shop", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = json.loads(done.stdout)
        self.assertEqual(report["success"], True)
        self.assertEqual([hop["status"] for hop in report["hops"]], [200])
        tls = report["hops"][0]["tls"]
        self.assertEqual((tls["verified"], tls["verification_errors"], tls["ocsp"]["status"]), (True, [], "good"))
        self.assertEqual([each["subject"] for each in tls["sent_chain"]], ["CN=good"])
        self.assertEqual([each["subject"] for each in tls["verified_chain"]], ["CN=good", "CN=sonde e2e root"])
        self.assertEqual(tls["trust_anchor"], "CN=sonde e2e root")
        self.assertIn("IP:127.0.0.1", tls["sent_chain"][0]["names"])

    def test_a_url_without_a_scheme(self):
        url = self.stack.nginx.url()
        done = self.probe(url.removeprefix("http://"), "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([hop["url"] for hop in json.loads(done.stdout)["hops"]], [url])

    def test_failure(self):
        done = self.probe(self.stack.nginx.url("expired"), "--module", "shop")
        self.assertEqual(done.returncode, 1)
        self.assertIn("certificate_expired", done.stdout)
        self.assertIn("CN=expired", done.stdout)
        self.assertIn("CERT_HAS_EXPIRED", done.stdout)
        self.assertIn("in hop 1, after connect, tls", done.stdout)
        done = self.probe(self.stack.nginx.url("expired"), "--module", "shop", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["success"], False)

    def test_wrong_use(self):
        for words in (("probe",), ("probe", "gopher://a.test/"), ("probe", "http://a.test/", "--module", "none")):
            with self.subTest(words):
                done = run(*words)
                self.assertEqual(done.returncode, 1)
                self.assertNotEqual(done.stderr, "")


class Service(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)
        self.sonde = self.stack.sonde(CONFIG.format(url=self.stack.nginx.url()))

    def test_several_addresses(self):
        path = f"{self.stack.directory}/sonde.sock"
        listen = ["127.0.0.1:0", f"unix:{path}"] + (["[::1]:0"] if has_ipv6() else [])
        self.sonde.start(listen=listen)
        self.assertIn("sonde_build_info", self.sonde.page())
        self.assertEqual(request_unix(path, "/-/healthy").status, 200)
        self.assertIn(b"sonde_build_info", request_unix(path, "/metrics").body)
        if has_ipv6():
            port = re.search(r"\[::1\]:(\d+)", self.sonde.process.log)[1]
            self.assertEqual(request(f"http://[::1]:{port}/-/healthy").status, 200)

    def test_an_address_in_use(self):
        self.sonde.start()
        second = self.stack.sonde(CONFIG.format(url=self.stack.nginx.url()), name="second")
        done = run("--config.file", second.config, "--web.listen-address", self.sonde.address)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.sonde.address, done.stderr)

    def test_sigterm_ends_with_0_within_the_grace_period(self):
        # A check that nobody answers is under way when the signal comes.
        self.sonde.config.write_text('[engine]\nshutdown_grace = "1s"\n' + CONFIG.format(
            url=self.stack.upstream.url("/silent")) + 'timeout = "500ms"\n')
        self.sonde.start()
        wait_for("a check under way", lambda: self.stack.upstream.seen())
        began = time.monotonic()
        self.sonde.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.sonde.process.wait(), 0)
        self.assertLess(time.monotonic() - began, 5)
        self.assertNotIn("level=error", self.sonde.process.log)

    def test_sigint_at_once_after_the_start(self):
        process = Process([BINARY, "--config.file", self.sonde.config, "--web.listen-address", "127.0.0.1:0"],
                          self.stack.directory / "early.log")
        wait_for("a listening Sonde", lambda: "listening" in process.log)
        self.assertEqual(process.stop(signal.SIGINT), 0)

    def test_json_log(self):
        self.sonde.start("--log.format", "json", "--log.level", "debug")
        self.sonde.stop()
        lines = (self.sonde.directory / "log").read_text().splitlines()
        self.assertGreater(len(lines), 1)
        for line in lines:
            self.assertIn("level", json.loads(line))

"""Targets that have each been checked once, and what is asked about them then."""

import base64
import unittest

from lib.net import wait_for
from lib.stack import Stack

# Long enough that a busy machine adds no timeout of its own.
CONFIG = """
[metrics]
extra = ["probe_http_uncompressed_body_length"]

[defaults]
interval = "3s"
timeout = "3s"
tls = {{ ca_file = "{ca}" }}
"""

PASSWORD = "l0cked-up"
IN_BASE64 = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()


class Checked(unittest.TestCase):
    """Those of `targets()`, {name: (url, more lines)}, before the first test."""

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        targets = cls.targets()
        config = CONFIG.format(ca=cls.stack.certificates.ca)
        for name, (url, settings) in targets.items():
            config += f'[[target]]\nname = "{name}"\nurl = "{url}"\n{settings}\n'
        cls.sonde = cls.stack.sonde(config, env=cls.environment()).start()
        wait_for("a check of each target", lambda: len(cls.sonde.samples("probe_success")) == len(targets))

    @classmethod
    def environment(cls):
        return {}

    @classmethod
    def started(cls, proxy):
        cls.stack.closing.callback(proxy.stop)
        return proxy.start()

    def assert_up(self, *names, status=200):
        for name in names:
            with self.subTest(name):
                target = self.sonde.targets()[name]
                self.assertEqual((target["state"], target["status"]), ("up", status), target)

    def assert_down(self, name, reason, *words):
        with self.subTest(name):
            target = self.sonde.targets()[name]
            self.assertEqual((target["state"], target["reason"]), ("down", reason), target)
            self.assertTrue(self.sonde.samples("probe_failures_total", target=name, reason=reason))
            for word in words:
                self.assertIn(word, target["detail"])

    def assert_nothing_is_told(self):
        for page in (self.sonde.page(), self.sonde.get("/api/targets").text, self.sonde.process.log):
            self.assertFalse(PASSWORD in page or IN_BASE64 in page, "the password of a proxy is told")

    def phases(self, name):
        return {labels["phase"] for labels, _ in self.sonde.samples("probe_http_duration_seconds", target=name)}

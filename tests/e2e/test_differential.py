"""Sonde and blackbox_exporter ask the same servers the same questions: every difference between their metrics is known.

The cases and the reasons of the differences are in lib/differential_cases.py.
"""

import concurrent.futures
import ssl
import types
import unittest

from prometheus_client.parser import text_string_to_metric_families

from lib.behaviours import Behaviours, server_context
from lib.blackbox import Blackbox
from lib.differential import complaints, facts
from lib.differential_cases import all_cases
from lib.net import free_ports, has_ipv6, wait_for
from lib.stack import Stack
from lib.tinyproxy import Tinyproxy

CONFIG = """
[metrics]
extra = ["probe_ip_addr_hash", "probe_http_uncompressed_body_length", "probe_http_last_modified_timestamp_seconds"]

[defaults]
interval = "5s"

"""


class Differential(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        certificates = cls.stack.certificates
        at = types.SimpleNamespace(nginx=cls.stack.nginx, ca=str(certificates.ca), client=certificates.good,
                                   refused=f"http://127.0.0.1:{free_ports(1)[0]}/")
        at.plain = cls.opened(Behaviours())
        at.strict = cls.opened(Behaviours(server_context(certificates.good, client_ca=certificates.ca)))
        at.tls12 = cls.opened(Behaviours(server_context(certificates.good, highest=ssl.TLSVersion.TLSv1_2)))
        at.proxy = Tinyproxy(cls.stack.directory)
        cls.addClassCleanup(at.proxy.stop)
        at.proxy.start()
        cls.cases = all_cases(at, has_ipv6())
        cls.blackbox = Blackbox(cls.stack.directory, {case.name: case.module() for case in cls.cases})
        cls.addClassCleanup(cls.blackbox.stop)
        cls.blackbox.start()
        cls.sonde = cls.stack.sonde(CONFIG + "\n".join(case.target() for case in cls.cases)).start()

    @classmethod
    def opened(cls, server):
        cls.addClassCleanup(server.close)
        return server

    def test_every_difference_is_explained(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            upstream = list(pool.map(lambda case: facts(self.blackbox.probe(case.name, case.url)), self.cases))
        sonde = wait_for("a check of each target", self.checked)
        for case, theirs in zip(self.cases, upstream):
            with self.subTest(case.name):
                found = list(complaints(case, facts(sonde[case.name]), theirs))
                self.assertEqual(found, [], "\n" + "\n".join(found))

    def checked(self):
        """{target: [(sample name, labels, value)]} once each has been checked."""
        found = {}
        for family in text_string_to_metric_families(self.sonde.page()):
            for sample in family.samples:
                if "target" in sample.labels:
                    found.setdefault(sample.labels["target"], []).append(
                        (sample.name, sample.labels, sample.value))
        done = sum(name == "probe_success" for samples in found.values() for name, _, _ in samples)
        return found if done == len(self.cases) else None

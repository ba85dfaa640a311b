"""One target that hangs, trickles or floods delays no other; a machine without room skips and lives."""

import unittest

from lib.dead_ends import BlackHole, DeadNameServer
from lib.net import wait_for
from lib.stack import Stack

HEALTHY = 100
ROUNDS = 6  # of one second

CONFIG = """
[engine]
workers = 1
max_in_flight_per_host = 1000

[defaults]
interval = "1s"
timeout = "900ms"
max_body = "1024GiB"
"""


def target(name, url):
    return f'[[target]]\nname = "{name}"\nurl = "{url}"\n'


class Isolation(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)

    def healthy(self):
        return "".join(target(f"good-{i}", self.stack.nginx.url(path=f"/?{i}")) for i in range(HEALTHY))

    def watch(self, bad, config=CONFIG):
        """Runs healthy targets beside bad ones; returns the share of starts that were late by over 20 ms."""
        sonde = self.stack.sonde(config + self.healthy() + bad)
        sonde.start()
        good = {"result": "success"}

        def least():
            counts = [value for labels, value in sonde.samples("probe_checks_total", **good)
                      if labels["target"].startswith("good-")]
            return min(counts) if len(counts) == HEALTHY else 0

        wait_for("rounds of healthy checks", lambda: least() >= ROUNDS)
        failures = [labels for labels, value in sonde.samples("probe_checks_total", result="failure")
                    if labels["target"].startswith("good-") and value > 0]
        skips = [labels for labels, _ in sonde.samples("probe_skipped_total") if labels["target"].startswith("good-")]
        self.assertEqual((failures, skips), ([], []))
        late = 1 - sonde.value("sonde_start_lag_seconds_bucket", le="0.02") / sonde.value("sonde_start_lag_seconds_count")
        self.assertEqual(sonde.stop(), 0)
        return late

    def test_black_holes(self):
        hole = BlackHole()
        self.addCleanup(hole.close)
        late = self.watch("".join(target(f"hole-{i}", f"http://127.0.0.1:{hole.port}/{i}") for i in range(200)))
        self.assertLess(late, 0.05)

    def test_a_byte_a_second(self):
        late = self.watch("".join(target(f"slow-{i}", self.stack.upstream.url("/trickle")) for i in range(20)))
        self.assertLess(late, 0.05)

    def test_endless_fast_data(self):
        late = self.watch("".join(target(f"flood-{i}", self.stack.nginx.url(path="/flood")) for i in range(2)))
        # They share one processor core with whoever sends to them, so some starts are late by a time slice.
        self.assertLess(late, 0.2)

    def test_a_dead_name_server(self):
        server = DeadNameServer()
        self.addCleanup(server.close)
        config = CONFIG.replace("workers = 1", f'workers = 1\ndns_servers = ["{server.address}"]')
        late = self.watch("".join(target(f"lost-{i}", f"http://lost-{i}.example/") for i in range(200)), config)
        self.assertTrue(server.was_asked())
        self.assertLess(late, 0.05)

    def test_no_descriptors_left(self):
        sonde = self.stack.sonde(CONFIG.replace("1s", "2s").replace("900ms", "1500ms") + self.healthy() + "".join(
            target(f"hang-{i}", self.stack.upstream.url("/silent")) for i in range(200)))
        sonde.start(wrapper=("prlimit", "--nofile=200:200"))
        wait_for("a check of every healthy target",
                 lambda: len(sonde.samples("probe_success")) >= HEALTHY)
        self.assertIn("max_in_flight is cut", sonde.process.log)
        # Whether a late check still waits or already runs when the next is due decides the reason.
        wait_for("checks that there is no room for", lambda: sonde.samples("probe_skipped_total"))
        bad = [labels for labels, value in sonde.samples("probe_failures_total") if labels["reason"] != "timeout"]
        self.assertEqual(bad, [])
        self.assertEqual(sonde.stop(), 0)

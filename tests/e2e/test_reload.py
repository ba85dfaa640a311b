"""Every way in which a running Sonde takes a new configuration, and what stays as it was."""

import os
import pathlib
import signal
import unittest

from lib.net import wait_for
from lib.stack import Stack

HEAD = """
[engine]
targets_dir = "targets.d"

[defaults]
interval = "300ms"
"""

TARGET = """
[[target]]
name = "{name}"
url = "{url}"
"""


class Reload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.count = 0

    def setUp(self):
        type(self).count += 1
        self.sonde = self.stack.sonde(HEAD + self.target("old"), name=f"sonde-{self.count}")
        self.targets_d = self.sonde.directory / "targets.d"
        self.targets_d.mkdir()

    def tearDown(self):
        self.assertEqual(self.sonde.stop(), 0)

    def target(self, name, path="/"):
        return TARGET.format(name=name, url=self.stack.nginx.url(path=path))

    def start(self):
        self.sonde.start()
        wait_for("first check", lambda: self.checks("old") >= 1)

    def checks(self, name):
        return self.sonde.value("probe_checks_total", target=name, result="success") or 0

    def known(self):
        return {labels["target"] for labels, _ in self.sonde.samples("probe_interval_seconds")}

    def wait_for_targets(self, *names):
        wait_for(f"targets {names}", lambda: self.known() == set(names))

    def reload_state(self):
        return self.sonde.value("sonde_config_last_reload_successful")

    def test_sighup(self):
        self.start()
        self.sonde.config.write_text(HEAD + self.target("old") + self.target("new"))
        self.sonde.process.send_signal(signal.SIGHUP)
        self.wait_for_targets("old", "new")

    def test_post(self):
        self.start()
        self.sonde.config.write_text(HEAD + self.target("old") + self.target("new"))
        answer = self.sonde.reload()
        self.assertEqual(answer.status, 200, answer.text)
        # It answers when the new plan is in force.
        self.assertEqual(self.known(), {"old", "new"})
        self.assertEqual(self.sonde.get("/-/reload").status, 405)

    def test_changed_file(self):
        self.start()
        self.sonde.config.write_text(HEAD + self.target("other"))
        self.wait_for_targets("other")

    def test_file_renamed_over_as_editors_do(self):
        self.start()
        fresh = self.sonde.directory / ".sonde.toml.swp"
        fresh.write_text(HEAD + self.target("other"))
        fresh.replace(self.sonde.config)
        self.wait_for_targets("other")
        # The watch followed to the new file.
        self.sonde.config.write_text(HEAD + self.target("third"))
        self.wait_for_targets("third")

    def test_files_of_the_directory(self):
        self.start()
        (self.targets_d / "b.toml").write_text(self.target("b"))
        self.wait_for_targets("old", "b")
        (self.targets_d / "notes.txt").write_text("not TOML, not read")
        (self.targets_d / ".hidden.toml").write_text("neither [")
        (self.targets_d / "c.toml").write_text(self.target("c"))
        self.wait_for_targets("old", "b", "c")
        (self.targets_d / "b.toml").unlink()
        self.wait_for_targets("old", "c")

    def test_configmap_swap(self):
        """As the kubelet does it: files are links into ..data, a link that is renamed over."""
        def version(name, text):
            directory = self.targets_d / f"..{name}"
            directory.mkdir()
            (directory / "site.toml").write_text(text)
            link = self.targets_d / "..data_tmp"
            link.symlink_to(directory.name)
            os.replace(link, self.targets_d / "..data")

        version("v1", self.target("one"))
        (self.targets_d / "site.toml").symlink_to(pathlib.Path("..data", "site.toml"))
        self.start()
        self.wait_for_targets("old", "one")
        version("v2", self.target("two"))
        self.wait_for_targets("old", "two")
        version("v3", self.target("three"))
        self.wait_for_targets("old", "three")

    def test_bad_file_keeps_the_plan_and_says_so(self):
        self.start()
        self.assertEqual(self.reload_state(), 1)
        loaded_at = self.sonde.value("sonde_config_last_reload_success_timestamp_seconds")
        self.sonde.config.write_text(HEAD + self.target("new") + 'intervall = "1s"\n')
        answer = self.sonde.reload()
        self.assertEqual(answer.status, 500)
        self.assertRegex(answer.text, r'sonde\.toml:\d+: .*intervall.*did you mean "interval"')
        self.assertEqual(self.known(), {"old"})
        self.assertEqual(self.reload_state(), 0)
        self.assertEqual(self.sonde.value("sonde_config_last_reload_success_timestamp_seconds"), loaded_at)
        self.assertIn("intervall", self.sonde.process.log)
        before = self.checks("old")
        wait_for("checks of the running plan", lambda: self.checks("old") > before)

        self.sonde.config.write_text(HEAD + self.target("new"))
        self.wait_for_targets("new")
        wait_for("a good reload", lambda: self.reload_state() == 1)

    def test_unchanged_target_keeps_its_counters_and_removed_series_vanish_at_once(self):
        self.sonde.config.write_text(HEAD + self.target("old") + self.target("gone"))
        self.start()
        wait_for("some checks", lambda: self.checks("old") >= 3 and self.checks("gone") >= 1)
        before = self.checks("old")
        observed = self.sonde.value("probe_rtt_seconds_count", target="old")
        self.sonde.config.write_text(HEAD + self.target("old") + self.target("new"))
        self.assertEqual(self.sonde.reload().status, 200)
        page = self.sonde.page()
        self.assertNotIn('target="gone"', page)
        self.assertGreaterEqual(self.checks("old"), before)
        self.assertGreaterEqual(self.sonde.value("probe_rtt_seconds_count", target="old"), observed)
        wait_for("more checks", lambda: self.checks("old") > before)

    def test_edited_target_keeps_its_counters(self):
        self.start()
        wait_for("some checks", lambda: self.checks("old") >= 3)
        before = self.checks("old")
        self.sonde.config.write_text(HEAD + self.target("old", path="/status/404") + 'labels = { team = "web" }\n')
        self.assertEqual(self.sonde.reload().status, 200)
        self.assertEqual(self.sonde.value("probe_interval_seconds", target="old", team="web"), 0.3)
        self.assertGreaterEqual(self.checks("old"), before)
        wait_for("the new url", lambda: self.sonde.value("probe_failures_total", target="old",
                                                         reason="unexpected_status"))

    def test_buckets_and_extra_families(self):
        self.start()
        wait_for("some checks", lambda: self.checks("old") >= 3)
        before = self.checks("old")
        self.assertIsNone(self.sonde.value("probe_http_responses_total", target="old"))
        self.sonde.config.write_text("[metrics]\nrtt_buckets = [0.3, 60]\nextra = [\"probe_http_responses_total\"]\n" +
                                     HEAD + self.target("old"))
        self.assertEqual(self.sonde.reload().status, 200)
        bounds = {labels["le"] for labels, _ in self.sonde.samples("probe_rtt_seconds_bucket")}
        self.assertEqual(bounds, {"0.3", "60.0", "+Inf"})
        self.assertGreaterEqual(self.checks("old"), before)
        # The histogram began anew; the counters did not.
        self.assertLess(self.sonde.value("probe_rtt_seconds_count", target="old"), self.checks("old"))
        wait_for("the extra family", lambda: self.sonde.value("probe_http_responses_total", target="old") is not None)

    def test_changed_secret_file(self):
        token = self.sonde.directory / "token"
        token.write_text("first")
        self.sonde.config.write_text(HEAD + self.target("old") + TARGET.format(
            name="secret", url=self.stack.upstream.url("/secret")) + 'headers = { X-Token = { file = "token" } }\n')
        self.start()
        wait_for("the first token", lambda: any("X-Token: first" in seen for seen in self.stack.upstream.seen()))
        token.write_text("second")
        wait_for("the second token", lambda: "X-Token: second" in self.stack.upstream.seen()[-1])

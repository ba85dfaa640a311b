"""A secret is sent to whom it is for, and is in no log, page, metric or error."""

import re
import unittest

from lib.net import request, wait_for
from lib.sonde import run
from lib.stack import Stack

TOKEN = "t0ken-hunter2"
PASSWORD = "pa55-hunter2"
KEY = "k3y-hunter2"
SECRETS = re.compile("hunter2")

CONFIG = """
[log]
level = "trace"

[defaults]
interval = "500ms"

[modules.private]
headers = {{ Authorization = {{ file = "token" }}, X-Key = {{ env = "SONDE_E2E_KEY" }} }}

[[target]]
name = "private"
url = "{private}"
module = "private"

[[target]]
name = "failing"
url = "http://ann:{password}@{upstream}/reset"

[[target]]
name = "query"
url = {{ file = "url" }}

[[target]]
name = "refused"
url = "http://ann:{password}@127.0.0.1:1/"
module = "private"
"""


class Secrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(token=TOKEN)
        cls.addClassCleanup(cls.stack.close)
        upstream = cls.stack.upstream
        config = CONFIG.format(private=cls.stack.nginx.url(path="/private"), password=PASSWORD,
                               upstream=f"127.0.0.1:{upstream.port}")
        cls.sonde = cls.stack.sonde(config, env={"SONDE_E2E_KEY": KEY})
        (cls.sonde.directory / "token").write_text(f"Bearer {TOKEN}\n")
        (cls.sonde.directory / "url").write_text(f"http://127.0.0.1:{upstream.port}/page?key={KEY}\n")
        cls.sonde.start()
        wait_for("a check of each", lambda: all(target["state"] in ("up", "down")
                                                for target in cls.sonde.targets().values()))

    def assert_clean(self, text, what):
        found = SECRETS.search(text)
        self.assertIsNone(found, f"{what}: ...{text[max(0, found.start() - 80):found.end()]}" if found else None)

    def test_they_arrive_where_they_are_for(self):
        targets = self.sonde.targets()
        self.assertEqual((targets["private"]["state"], targets["private"]["status"]), ("up", 200))
        self.assertEqual(targets["query"]["state"], "up")
        seen = "".join(self.stack.upstream.seen())
        self.assertIn(f"GET /page?key={KEY} ", seen)
        self.assertIn("Authorization: Basic ", seen)

    def test_pages_metrics_and_log(self):
        debug = [f"/debug/probe?target={name}{form}" for name in self.sonde.targets() for form in ("", "&format=json")]
        for path in ("/", "/metrics", "/api/targets", "/no/such/page", *debug):
            for accept in ("text/html", "application/openmetrics-text"):
                self.assert_clean(self.sonde.get(path, Accept=accept).text, path)
        self.sonde.reload()
        log = self.sonde.process.log
        self.assertIn("level=debug" if "level=debug" in log else "level=info", log)
        self.assert_clean(log, "log")

    def test_the_url_is_told_without_them(self):
        urls = {name: target["url"] for name, target in self.sonde.targets().items()}
        self.assertEqual(urls["refused"], "http://127.0.0.1:1/")
        self.assertTrue(urls["query"].startswith(f"http://127.0.0.1:{self.stack.upstream.port}/"), urls["query"])

    def test_errors_of_a_configuration(self):
        good = self.sonde.config.read_text()
        self.addCleanup(self.sonde.config.write_text, good)
        for bad in (good + f'intervall = "{PASSWORD}"\n',
                    good.replace('{ file = "token" }', '{ file = "token", more = 1 }'),
                    good.replace('name = "query"\n', ""),
                    good.replace('name = "query"', 'name = { file = "url" }'),
                    good.replace("/reset", "/reset\\u0000")):
            self.sonde.config.write_text(bad)
            done = run("--config.check", "--config.file", self.sonde.config, env=self.sonde.env)
            self.assertEqual(done.returncode, 1, bad)
            if "intervall" not in bad:  # a plain value of the file itself may be quoted, a secret may not
                self.assert_clean(done.stderr + done.stdout, "errors of --config.check")
            self.assert_clean(request(self.sonde.url("/-/reload"), method="POST").text if "intervall" not in bad else "",
                              "errors of a reload")

    def test_probe_command(self):
        for words in ((), ("--json",)):
            done = run("probe", self.stack.nginx.url(path="/private"), "--module", "private", "--config.file",
                       self.sonde.config, *words, env=self.sonde.env)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assert_clean(done.stdout + done.stderr, "sonde probe")
        done = run("probe", f"http://ann:{PASSWORD}@127.0.0.1:1/")
        self.assertEqual(done.returncode, 1)
        self.assert_clean(done.stdout + done.stderr, "sonde probe")

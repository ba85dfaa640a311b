"""`sonde --config.check`: exit codes and errors that a person can act on."""

import os
import pathlib
import tempfile
import unittest

from lib.sonde import run

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What is wrong: (the file, what its one line of error says besides the place)
BAD = {
    "unknown key": ('[[target]]\nurl = "http://a.test/"\nintervall = "1s"\n', 3, ["intervall", 'did you mean "interval"']),
    "unknown table": ('[sever]\n', 1, ["sever", 'did you mean "server"']),
    "wrong type": ('[[target]]\nurl = 5\n', 2, ["url"]),
    "bad duration": ('[[target]]\nurl = "http://a.test/"\ninterval = "1 fortnight"\n', 3, ["interval", "30s"]),
    "bad url": ('[[target]]\nurl = "http://"\n', 2, ["url"]),
    "unknown scheme": ('[[target]]\nurl = "gopher://a.test/"\n', 2, ["gopher"]),
    "bad regex": ('[[target]]\nurl = "http://a.test/"\nregex = "("\n', 3, ["regex", "missing )"]),
    "bad status": ('[[target]]\nurl = "http://a.test/"\nstatus = "ok"\n', 3, ["status", "2xx"]),
    "duplicate name": ('[[target]]\nurl = "http://a.test/"\n[[target]]\nurl = "http://a.test/"\n', None, ["http://a.test/"]),
    "timeout over interval": ('[[target]]\nurl = "http://a.test/"\ninterval = "1s"\ntimeout = "2s"\n', 4,
                              ["timeout", "interval"]),
    "missing secret file": ('[[target]]\nname = "a"\nurl = "http://a.test/"\n'
                            'headers = { Authorization = { file = "/no/such/token" } }\n', 4, ["/no/such/token"]),
    "missing variable": ('[[target]]\nname = "a"\nurl = "http://a.test/"\n'
                         'headers = { Authorization = { env = "NO_SUCH_VARIABLE" } }\n', 4, ["NO_SUCH_VARIABLE"]),
    "unknown module": ('[modules.api]\n[[target]]\nurl = "http://a.test/"\nmodule = "apy"\n', 4,
                       ["apy", 'did you mean "api"']),
    "reserved label": ('[[target]]\nurl = "http://a.test/"\nlabels = { job = "x" }\n', 3, ["job"]),
    "unknown extra family": ('[metrics]\nextra = ["probe_tls_cipher"]\n', 2, ["probe_tls_cipher"]),
    "syntax": ('[[target]\n', 1, []),
    "missing CA": ('[[target]]\nurl = "https://a.test/"\ntls = { ca_file = "no-such-ca.pem" }\n', 3, ["no-such-ca.pem"]),
}


class ConfigCheck(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="sonde-e2e-")
        self.addCleanup(self.temporary.cleanup)
        self.directory = pathlib.Path(self.temporary.name)
        self.file = self.directory / "sonde.toml"

    def check(self, text):
        self.file.write_text(text)
        return run("--config.check", "--config.file", self.file)

    def test_good_file(self):
        done = self.check('[[target]]\nurl = "http://a.test/"\n')
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("1 target", done.stdout)

    def test_each_error_has_file_line_key_and_words(self):
        for what, (text, line, words) in BAD.items():
            with self.subTest(what):
                done = self.check(text)
                self.assertEqual(done.returncode, 1, done.stdout)
                errors = done.stderr.splitlines()
                self.assertEqual(len(errors), 1, done.stderr)
                self.assertTrue(errors[0].startswith(f"{self.file}:{line}:" if line else f"{self.file}:"), errors[0])
                for word in words:
                    self.assertIn(word, errors[0])

    def test_all_errors_at_once_of_all_files(self):
        (self.directory / "targets.d").mkdir()
        (self.directory / "targets.d/x.toml").write_text('[[target]]\nurl = "http://x.test/"\ntimeout = "never"\n')
        (self.directory / "targets.d/y.toml").write_text('[[target]]\nurl = "http://y.test/"\nredirects = "yes"\n')
        done = self.check('[engine]\ntargets_dir = "targets.d"\nworkers = -1\n[[target]]\nurl = "http://a.test/"\nfoo = 1\n')
        self.assertEqual(done.returncode, 1)
        errors = done.stderr.splitlines()
        self.assertEqual(len(errors), 4, done.stderr)
        for part in ("x.toml:3: ", "y.toml:3: ", "sonde.toml:3: engine.workers", "sonde.toml:6: "):
            self.assertTrue(any(part in error for error in errors), (part, done.stderr))

    def test_missing_file(self):
        done = run("--config.check", "--config.file", self.directory / "none.toml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.toml", done.stderr)

    def test_a_bad_file_does_not_start(self):
        self.file.write_text(BAD["unknown key"][0])
        done = run("--config.file", self.file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("intervall", done.stderr)

    def test_shipped_files(self):
        for file in sorted({ROOT / "config/default.toml", ROOT / "deploy/k8s/config/sonde.toml",
                            *ROOT.glob("config/examples/*.toml")}):
            with self.subTest(str(file.relative_to(ROOT))):
                done = run("--config.check", "--config.file", file, env={**os.environ, "ENVIRONMENT": "test"})
                self.assertEqual(done.returncode, 0, done.stderr)

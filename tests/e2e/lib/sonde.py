"""The real binary, with a configuration in a directory of its own."""

import json
import os
import pathlib
import re
import subprocess

from prometheus_client.parser import text_string_to_metric_families

from lib.net import PATIENCE, request, wait_for
from lib.process import Process

BINARY = os.environ.get("SONDE") or str(pathlib.Path(__file__).resolve().parents[3] / "build/dev/exporter/sonde")


def run(*words, cwd=None, env=None):
    """The program to its end, as a user runs it in a terminal."""
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          cwd=cwd, env=env)


class Sonde:
    """`config` is the text of sonde.toml; port 0 and the log tell where it listens."""

    def __init__(self, directory, config, name="sonde", env=None):
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir()
        self.config = self.directory / "sonde.toml"
        self.config.write_text(config)
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.address = None

    def start(self, *words, listen=("127.0.0.1:0",), wrapper=()):
        """`wrapper`: what the program is started with, as in ("prlimit", "--nofile=256")."""
        addresses = [word for address in listen for word in ("--web.listen-address", address)]
        self.process = Process([*wrapper, BINARY, "--config.file", self.config, *addresses, *words], self.directory / "log",
                               env=self.env)
        wait_for("readiness of Sonde", self.is_ready)
        return self

    def listening(self):
        """The addresses in the log, in the order of the command line."""
        return re.findall(r'listening.*?address"?[=:]"?([^\s",}]+)', self.process.log)

    def is_ready(self):
        if not self.process.running:
            raise RuntimeError(f"Sonde has ended:\n{self.process.log}")
        found = [address for address in self.listening() if address.startswith("127.0.0.1:")]
        if not found:
            return False
        self.address = found[-1]
        return self.get("/-/ready").status == 200

    def url(self, path=""):
        return f"http://{self.address}{path}"

    def get(self, path, **headers):
        return request(self.url(path), headers={name.replace("_", "-"): value for name, value in headers.items()})

    def page(self):
        answer = self.get("/metrics")
        assert answer.status == 200, answer.status
        return answer.text

    def samples(self, name, **labels):
        """Of the text page: [(labels, value)] of a sample name (with _bucket, _total...) and some labels."""
        return [(sample.labels, sample.value)
                for family in text_string_to_metric_families(self.page())
                for sample in family.samples
                if sample.name == name and labels.items() <= sample.labels.items()]

    def value(self, name, **labels):
        """The one value, or nothing."""
        found = self.samples(name, **labels)
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def targets(self):
        return {target["name"]: target for target in json.loads(self.get("/api/targets").text)["targets"]}

    def reload(self):
        return request(self.url("/-/reload"), method="POST")

    def stop(self):
        """The exit code."""
        code = None
        if self.process:
            code = self.process.stop()
            self.process = None
        return code

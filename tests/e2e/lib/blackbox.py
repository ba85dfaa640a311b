"""A real blackbox_exporter, to compare with."""

import json
import pathlib
import urllib.parse

from prometheus_client.parser import text_string_to_metric_families

from lib.net import free_ports, request, wait_for
from lib.process import Process


class Blackbox:
    """`modules`: {name: what blackbox.yml says of it}."""

    def __init__(self, directory, modules):
        self.directory = pathlib.Path(directory) / "blackbox"
        self.directory.mkdir()
        self.config = self.directory / "blackbox.yml"
        self.config.write_text(json.dumps({"modules": modules}))  # JSON is YAML
        self.address = f"127.0.0.1:{free_ports(1)[0]}"
        self.process = None

    def start(self):
        self.process = Process(["prometheus-blackbox-exporter", f"--config.file={self.config}",
                                f"--web.listen-address={self.address}"], self.directory / "log")
        wait_for("readiness of blackbox_exporter", self.is_ready)
        return self

    def is_ready(self):
        if not self.process.running:
            raise RuntimeError(f"blackbox_exporter has ended:\n{self.process.log}")
        return request(f"http://{self.address}/-/healthy").status == 200

    def probe(self, module, target):
        """[(sample name, labels, value)]"""
        page = request(f"http://{self.address}/probe?{urllib.parse.urlencode({'module': module, 'target': target})}")
        if page.status != 200:
            raise RuntimeError(f"{module}: {page.text}")
        return [(sample.name, sample.labels, sample.value) for family in text_string_to_metric_families(page.text)
                for sample in family.samples]

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

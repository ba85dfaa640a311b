"""A real Prometheus with the configuration that we ship: only addresses, paths and intervals differ."""

import json
import pathlib
import re
import urllib.parse

from lib.net import request, wait_for
from lib.process import Process

ROOT = pathlib.Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "deploy/prometheus/prometheus.yml"


def adapted(sonde_address):
    """The shipped file with this Sonde, a scrape each second, and rules found from anywhere."""
    text = SHIPPED.read_text()
    for old, new in (("localhost:9115", sonde_address), ("../../", f"{ROOT}/"),
                     ("scrape_interval: 15s", "scrape_interval: 1s"),
                     ("evaluation_interval: 15s", "evaluation_interval: 1s")):
        if old not in text:
            raise RuntimeError(f"{SHIPPED} has no {old!r} any more: adapt this function")
        text = text.replace(old, new)
    return text


class Prometheus:
    def __init__(self, directory, sonde):
        self.sonde = sonde
        self.directory = pathlib.Path(directory) / "prometheus"
        self.directory.mkdir()
        self.config = self.directory / "prometheus.yml"
        self.config.write_text(adapted(sonde.address))
        self.process = None
        self.url = None

    def start(self):
        self.process = Process(
            ["prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.directory}/data",
             "--web.listen-address=127.0.0.1:0", "--log.level=info"], self.directory / "log")
        wait_for("readiness of Prometheus", self.is_ready)
        return self

    def is_ready(self):
        if not self.process.running:
            raise RuntimeError(f"Prometheus has ended:\n{self.process.log}")
        found = re.search(r'msg="Listening on" address=(\S+)', self.process.log)
        self.url = found and f"http://{found[1]}"
        return found and request(f"{self.url}/-/ready").status == 200

    def api(self, path, **parameters):
        answer = json.loads(request(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}").text)
        if answer["status"] != "success":
            raise RuntimeError(f"{path} {parameters}: {answer.get('error')}")
        return answer["data"]

    def query(self, promql):
        """[(labels, value)] of an instant query."""
        return [(series["metric"], float(series["value"][1])) for series in self.api("query", query=promql)["result"]]

    def wait(self, promql):
        """Waits until the query gives anything at all, and returns it. Not for a Sonde that is no more."""
        def ask():
            if not self.sonde.process.running:
                raise RuntimeError(f"Sonde has ended:\n{self.sonde.process.log}")
            return self.query(promql)

        return wait_for(f"result of {promql}", ask)

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

"""A real caddy, with the sites of one test; it never asks anybody for a certificate."""

import os
import pathlib
import socket

from lib.net import free_ports, wait_for
from lib.process import Process


class Caddy:
    """`sites`: {name: lines of a site}, each on a free port of its own."""

    def __init__(self, directory, sites):
        self.directory = pathlib.Path(directory) / "caddy"
        self.directory.mkdir()
        self.ports = dict(zip(sites, free_ports(len(sites))))
        text = "{\n    admin off\n    auto_https off\n    servers {\n        protocols h1 h2\n    }\n}\n"
        for name, lines in sites.items():
            text += f":{self.ports[name]} {{\n    bind 127.0.0.1\n{lines}\n}}\n"
        self.config = self.directory / "Caddyfile"
        self.config.write_text(text)
        self.process = None

    def url(self, name, path="/", scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.ports[name]}{path}"

    def start(self):
        home = {name: str(self.directory) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        self.process = Process(["caddy", "run", "--config", self.config, "--adapter", "caddyfile"],
                               self.directory / "log", env={**os.environ, **home})
        wait_for("caddy", self.listens)
        return self

    def listens(self):
        if not self.process.running:
            raise RuntimeError(f"caddy has ended:\n{self.process.log}")
        for port in self.ports.values():
            socket.create_connection(("127.0.0.1", port)).close()
        return True

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

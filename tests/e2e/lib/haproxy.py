"""A real haproxy, with the sections of one test."""

import pathlib
import socket

from lib.net import free_ports, wait_for
from lib.process import Process


class Haproxy:
    """`sections`: {name: lines of a `listen` section}, where @port@ is a free port of its own."""

    def __init__(self, directory, sections):
        self.directory = pathlib.Path(directory) / "haproxy"
        self.directory.mkdir()
        self.ports = dict(zip(sections, free_ports(len(sections))))
        text = "global\n    maxconn 200\ndefaults\n"
        text += "".join(f"    timeout {what} 30s\n" for what in ("connect", "client", "server"))
        for name, lines in sections.items():
            text += f"listen {name}\n" + "".join(f"    {line.strip()}\n" for line in lines.split("\n"))
            text = text.replace("@port@", str(self.ports[name]))
        self.config = self.directory / "haproxy.cfg"
        self.config.write_text(text)
        self.process = None

    def url(self, name, path="/", scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.ports[name]}{path}"

    def start(self):
        self.process = Process(["haproxy", "-db", "-f", self.config], self.directory / "log")
        wait_for("haproxy", self.listens)
        return self

    def listens(self):
        if not self.process.running:
            raise RuntimeError(f"haproxy has ended:\n{self.process.log}")
        for port in self.ports.values():
            socket.create_connection(("127.0.0.1", port)).close()
        return True

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

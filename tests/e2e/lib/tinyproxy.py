"""A real tinyproxy, with the rules of one test."""

import pathlib
import socket

from lib.net import free_ports, wait_for
from lib.process import Process


class Tinyproxy:
    """`rules`: lines of its configuration."""

    def __init__(self, directory, name="tinyproxy", rules=()):
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir()
        self.port = free_ports(1)[0]
        self.config = self.directory / "tinyproxy.conf"
        self.config.write_text("\n".join([f"Port {self.port}", "Listen 127.0.0.1", "Timeout 30", "MaxClients 100",
                                          "LogLevel Connect", *rules, ""]))
        self.process = None

    def url(self, user=""):
        return f"http://{user}{'@' if user else ''}127.0.0.1:{self.port}"

    def start(self):
        self.process = Process(["tinyproxy", "-d", "-c", self.config], self.directory / "log")
        wait_for("tinyproxy", self.listens)
        return self

    def listens(self):
        if not self.process.running:
            raise RuntimeError(f"tinyproxy has ended:\n{self.process.log}")
        socket.create_connection(("127.0.0.1", self.port)).close()
        return True

    @property
    def log(self):
        return self.process.log

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

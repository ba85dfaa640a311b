"""A real microsocks: a SOCKS5 proxy, whose log tells where it was asked to go and under which name."""

import pathlib
import re
import socket

from lib.net import free_ports, wait_for
from lib.process import Process


class Microsocks:
    def __init__(self, directory, name="microsocks", user=None, password=None):
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir()
        self.port = free_ports(1)[0]
        self.words = ["-i", "127.0.0.1", "-p", self.port, *(["-u", user, "-P", password] if user else [])]
        self.process = None

    def address(self, user=""):
        return f"{user}{'@' if user else ''}127.0.0.1:{self.port}"

    def start(self):
        self.process = Process(["microsocks", *self.words], self.directory / "log")
        wait_for("microsocks", self.listens)
        return self

    def listens(self):
        if not self.process.running:
            raise RuntimeError(f"microsocks has ended:\n{self.process.log}")
        socket.create_connection(("127.0.0.1", self.port)).close()
        return True

    def went_to(self):
        """{host:port}, each as it was asked for: an address, or a name that was left to the proxy."""
        return set(re.findall(r"connected to (\S+)", self.process.log))

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

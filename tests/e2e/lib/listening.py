"""What real servers under test have in common: a folder, free ports of loopback, a program that listens on them."""

import pathlib
import socket

from lib.net import free_ports, wait_for
from lib.process import Process


class ListeningProgram:
    """`ports`: {name: port}, of which each is free until start()."""

    def __init__(self, directory, name, port_names):
        self.name = name
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir()
        self.ports = dict(zip(port_names, free_ports(len(port_names))))
        self.process = None

    def launch(self, words, env=None):
        """Starts it, waits until it listens on all of its ports, and returns itself."""
        self.process = Process(words, self.directory / "log", env=env)
        wait_for(self.name, self.listens)
        return self

    def listens(self):
        if not self.process.running:
            raise RuntimeError(f"{self.name} has ended:\n{self.process.log}")
        for port in self.ports.values():
            socket.create_connection(("127.0.0.1", port)).close()
        return True

    @property
    def log(self):
        return self.process.log

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


class Sites(ListeningProgram):
    """One that serves something on each of its ports."""

    def url(self, name, path="/", scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.ports[name]}{path}"

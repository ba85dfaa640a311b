"""A real microsocks: a SOCKS5 proxy, whose log tells where it was asked to go and under which name."""

import re

from lib.listening import ListeningProgram


class Microsocks(ListeningProgram):
    def __init__(self, directory, name="microsocks", user=None, password=None):
        super().__init__(directory, name, ["proxy"])
        self.port = self.ports["proxy"]
        self.words = ["-i", "127.0.0.1", "-p", self.port, *(["-u", user, "-P", password] if user else [])]

    def address(self, user=""):
        return f"{user}{'@' if user else ''}127.0.0.1:{self.port}"

    def start(self):
        return self.launch(["microsocks", *self.words])

    def went_to(self):
        """{host:port}, each as it was asked for: an address, or a name that was left to the proxy."""
        return set(re.findall(r"connected to (\S+)", self.log))

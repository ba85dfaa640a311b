"""A real tinyproxy, with the rules of one test."""

from lib.listening import ListeningProgram


class Tinyproxy(ListeningProgram):
    """`rules`: lines of its configuration."""

    def __init__(self, directory, name="tinyproxy", rules=()):
        super().__init__(directory, name, ["proxy"])
        self.port = self.ports["proxy"]
        self.config = self.directory / "tinyproxy.conf"
        self.config.write_text("\n".join([f"Port {self.port}", "Listen 127.0.0.1", "Timeout 30", "MaxClients 100",
                                          "LogLevel Connect", *rules, ""]))

    def url(self, user=""):
        return f"http://{user}{'@' if user else ''}127.0.0.1:{self.port}"

    def start(self):
        return self.launch(["tinyproxy", "-d", "-c", self.config])

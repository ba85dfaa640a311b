"""A real haproxy, with the sections of one test."""

from lib.listening import Sites


class Haproxy(Sites):
    """`sections`: {name: lines of a `listen` section}, where @port@ is a free port of its own."""

    def __init__(self, directory, sections):
        super().__init__(directory, "haproxy", sections)
        text = "global\n    maxconn 200\ndefaults\n"
        text += "".join(f"    timeout {what} 30s\n" for what in ("connect", "client", "server"))
        for name, lines in sections.items():
            text += f"listen {name}\n" + "".join(f"    {line.strip()}\n" for line in lines.split("\n"))
            text = text.replace("@port@", str(self.ports[name]))
        self.config = self.directory / "haproxy.cfg"
        self.config.write_text(text)

    def start(self):
        return self.launch(["haproxy", "-db", "-f", self.config])

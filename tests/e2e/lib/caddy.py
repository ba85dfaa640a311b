"""A real caddy, with the sites of one test; it never asks anybody for a certificate."""

import os

from lib.listening import Sites


class Caddy(Sites):
    """`sites`: {name: lines of a site}, each on a free port of its own."""

    def __init__(self, directory, sites):
        super().__init__(directory, "caddy", sites)
        text = "{\n    admin off\n    auto_https off\n    servers {\n        protocols h1 h2\n    }\n}\n"
        for name, lines in sites.items():
            text += f":{self.ports[name]} {{\n    bind 127.0.0.1\n{lines}\n}}\n"
        self.config = self.directory / "Caddyfile"
        self.config.write_text(text)

    def start(self):
        home = {name: str(self.directory) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        return self.launch(["caddy", "run", "--config", self.config, "--adapter", "caddyfile"],
                           env={**os.environ, **home})

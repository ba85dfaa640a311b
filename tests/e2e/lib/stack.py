"""nginx, misbehaving servers, Sonde and Prometheus together, in one temporary directory."""

import contextlib
import pathlib
import tempfile

from lib.certs import Certificates
from lib.nginx import Nginx
from lib.prometheus import Prometheus
from lib.sonde import Sonde
from lib.upstream import Upstream


class Stack:
    """Everything that was started is stopped by close(), also when that fails half-way."""

    def __init__(self, token="none"):
        self.closing = contextlib.ExitStack()
        self.directory = pathlib.Path(self.closing.enter_context(tempfile.TemporaryDirectory(prefix="sonde-e2e-")))
        try:
            self.start(token)
        except BaseException:
            self.close()
            raise

    def start(self, token):
        self.certificates = Certificates(self.directory)
        self.upstream = Upstream()
        self.closing.callback(self.upstream.close)
        self.nginx = Nginx(self.directory, self.certificates, self.upstream, token)
        self.closing.callback(self.nginx.stop)
        self.nginx.start()

    def sonde(self, config, name="sonde", env=None):
        """Not started yet."""
        made = Sonde(self.directory, config, name, env)
        self.closing.callback(made.stop)
        return made

    def prometheus(self, sonde):
        made = Prometheus(self.directory, sonde)
        self.closing.callback(made.stop)
        return made.start()

    def close(self):
        self.closing.close()

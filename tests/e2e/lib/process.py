"""A program under test: started with its output in a file, always stopped, its exit code known."""

import pathlib
import signal
import subprocess

from lib.net import PATIENCE


class Process:
    def __init__(self, argv, log, env=None, cwd=None):
        self.log_path = pathlib.Path(log)
        with open(self.log_path, "ab") as out:
            self.process = subprocess.Popen(
                [str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def running(self):
        return self.process.poll() is None

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        """The exit code."""
        return self.process.wait(patience)

    def stop(self, number=signal.SIGTERM):
        """Ends it and returns its exit code. Who does not end in time is killed and fails the test."""
        if self.running:
            self.send_signal(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.process.args[0]} did not end; its log:\n{self.log}") from None

"""Ports, HTTP requests and waiting. Nothing here sleeps for a fixed time: everything is asked again until a deadline."""

import http.client
import socket
import time
import urllib.parse
import urllib.request

PATIENCE = 30  # seconds; met only when something is broken
PAUSE = 0.05


def free_ports(count):
    """Ports of 127.0.0.1 and [::1] that are free now. All are held until all are known, so that they differ."""
    held, ports = [], []
    while len(ports) < count:
        held.append(socket.create_server(("127.0.0.1", 0)))
        port = held[-1].getsockname()[1]
        try:
            if has_ipv6():
                held.append(socket.create_server(("::1", port), family=socket.AF_INET6))
            ports.append(port)
        except OSError:
            pass  # taken there
    for one in held:
        one.close()
    return ports


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


def wait_for(what, ask, patience=PATIENCE):
    """Calls ask() until it gives something true, which is returned. An exception counts as not yet."""
    end = time.monotonic() + patience
    last = None
    while True:
        try:
            answer = ask()
            if answer:
                return answer
            last = answer
        except (OSError, http.client.HTTPException, AssertionError, LookupError) as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"no {what} after {patience} s: {last!r}")
        time.sleep(PAUSE)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode()


def request(url, method="GET", headers=None):
    """One request with exactly these header fields; any status is an answer."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def request_unix(path, target):
    """GET over a unix socket."""
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.connect(path)
        connection.request("GET", target)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()

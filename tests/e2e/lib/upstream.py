"""Misbehaving servers behind and beside nginx: silence, resets, and what is no HTTP."""

import gzip
import select
import socket
import struct

from lib.acceptor import Acceptor, read_until

GZIPPED = gzip.compress(b"Welcome, compressed " * 50)

ANSWERS = {
    "/garbage": b"SSH-2.0-nothing_of_yours\r\n",
    "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    "/gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIPPED) + GZIPPED,
    "/cut-gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (len(GZIPPED) - 9)
                 + GZIPPED[:-9],
    "/loop": b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
}


class Upstream(Acceptor):
    """Each path is a way to (mis)behave; /silent answers only once the client has gone."""

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, connection):
        with connection:
            try:
                text = read_until(connection, b"\r\n\r\n")
                if not text:
                    return
                with self.lock:
                    self.requests.append(text.decode("latin-1"))
                path = text.split(b" ")[1].decode()
                if path == "/silent":
                    while connection.recv(65536):
                        pass
                elif path == "/trickle":
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    # The prober going away ends the wait for it, a second without that sends a byte.
                    while not select.select([connection], [], [], 1)[0]:
                        connection.sendall(b".")
                elif path == "/reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    connection.sendall(ANSWERS.get(path, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
            except OSError:
                pass  # a prober that gave up is what some of these paths are for

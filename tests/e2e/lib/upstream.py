"""Misbehaving servers behind and beside nginx: silence, resets, and what is no HTTP."""

import gzip
import select
import socket
import struct
import threading

GZIPPED = gzip.compress(b"Welcome, compressed " * 50)

ANSWERS = {
    "/garbage": b"SSH-2.0-nothing_of_yours\r\n",
    "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    "/gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIPPED) + GZIPPED,
    "/cut-gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (len(GZIPPED) - 9)
                 + GZIPPED[:-9],
    "/loop": b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
}


class Upstream:
    """Each path is a way to (mis)behave; /silent answers only once the client has gone."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.requests = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                text = b""
                while b"\r\n\r\n" not in text:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    text += piece
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

    def seen(self):
        with self.lock:
            return list(self.requests)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

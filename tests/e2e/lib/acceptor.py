"""What our own servers have in common: a port of loopback, a thread for each connection, a record of requests."""

import socket
import threading


def read_until(connection, end):
    """What came up to `end`, and perhaps more; nothing when the peer closed before."""
    text = b""
    while end not in text:
        piece = connection.recv(65536)
        if not piece:
            return None
        text += piece
    return text


class Acceptor:
    """`requests` is filled, under `lock`, by serve(connection) of the class made of this."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.socket.getsockname()[1]
        self.requests = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        raise NotImplementedError

    def seen(self):
        with self.lock:
            return list(self.requests)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

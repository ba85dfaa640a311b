"""What never answers: a port whose kernel drops every SYN, and a name server."""

import socket


class BlackHole:
    """The queue of its listener is full."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    def close(self):
        for each in (*self.fillers, self.listener):
            each.close()


class DeadNameServer:
    """Takes every question and answers none."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def was_asked(self):
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(512))
        except BlockingIOError:
            return False

    def close(self):
        self.socket.close()

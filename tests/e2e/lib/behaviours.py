"""A server of scripted answers: each path is a way to behave or to misbehave, on a plain port or over TLS."""

import base64
import gzip
import socket
import ssl
import struct

from lib.acceptor import Acceptor, read_until

TEXT = b"Welcome to the shop\n"
GZIPPED = gzip.compress(b"Welcome, compressed " * 50)
CREDENTIALS = base64.b64encode(b"ann:secret").decode()
MODIFIED = ("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")


def answer(body=TEXT, *fields, status="200 OK", version="1.1", length=True):
    lines = [f"HTTP/{version} {status}", *(f"{name}: {value}" for name, value in fields)]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


ANSWERS = {
    "/ok": answer(),
    "/chunked": answer(b"8\r\nWelcome \r\n4\r\nshop\r\n0\r\n\r\n", ("Transfer-Encoding", "chunked"), length=False),
    "/until-close": answer(length=False),
    "/gzip": answer(GZIPPED, ("Content-Encoding", "gzip")),
    "/http10": answer(version="1.0"),
    "/204": answer(b"", status="204 No Content", length=False),
    "/304": answer(b"", MODIFIED, status="304 Not Modified", length=False),
    "/404": answer(b"no such page", status="404 Not Found"),
    "/500": answer(b"broken", status="500 Internal Server Error"),
    "/early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" + answer(),
    "/modified": answer(TEXT, MODIFIED),
    "/modified-never": answer(TEXT, ("Last-Modified", "yesterday")),
    "/fields": answer(TEXT, ("X-Shop", "open"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
    "/loop": answer(b"", ("Location", "/loop"), status="302 Found"),
    "/no-location": answer(b"", status="302 Found"),
    "/truncated": answer().replace(b": 20\r\n", b": 200\r\n"),
    "/truncated-chunk": answer(b"8\r\nWelco", ("Transfer-Encoding", "chunked"), length=False),
    "/bad-chunk": answer(b"oops\r\nWelcome \r\n0\r\n\r\n", ("Transfer-Encoding", "chunked"), length=False),
    "/cut-gzip": answer(GZIPPED[:-9], ("Content-Encoding", "gzip")),
    "/not-http": b"SSH-2.0-nothing_of_yours\r\n",
    "/closed": b"",
    "/large": answer(b"x" * 5000),
}


class Request:
    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.path, _, self.query = self.target.partition("?")
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.body = body


def demand(request, name, value, status):
    return answer() if request.fields.get(name) == value else answer(b"no", status=status)


def redirect(request):
    """/redirect/STATUS?LOCATION"""
    return answer(b"", ("Location", request.query), status=f"{request.path.rsplit('/', 1)[1]} Moved")


def hops(request):
    """/hops/N is N redirects away from the page."""
    left = int(request.path.rsplit("/", 1)[1])
    return answer(b"", ("Location", f"/hops/{left - 1}"), status="302 Found") if left else answer()


COMPUTED = {
    "/echo": lambda request: answer(request.method.encode() + b" " + request.body),
    "/basic": lambda request: demand(request, "authorization", f"Basic {CREDENTIALS}", "401 Unauthorized"),
    "/bearer": lambda request: demand(request, "authorization", "Bearer t0ken", "401 Unauthorized"),
    "/custom": lambda request: demand(request, "x-probe", "yes", "400 Bad Request"),
    "/host": lambda request: demand(request, "host", "shop.example", "421 Misdirected Request"),
    "/redirect": redirect,
    "/hops": hops,
}


class Behaviours(Acceptor):
    """`context`: of ssl, for a server that speaks TLS."""

    def __init__(self, context=None):
        self.context = context
        super().__init__()

    def url(self, path, host="127.0.0.1"):
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    def serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                request = self.read(connection)
                if request:
                    self.behave(connection, request)
        except (OSError, ssl.SSLError):
            connection.close()  # a client that gave up or was refused is what some of this is for

    def read(self, connection):
        text = read_until(connection, b"\r\n\r\n")
        if not text:
            return None
        head, _, body = text.partition(b"\r\n\r\n")
        request = Request(head, body)
        while len(request.body) < int(request.fields.get("content-length", 0)):
            piece = connection.recv(65536)
            if not piece:
                return None
            request.body += piece
        with self.lock:
            self.requests.append(request)
        return request

    def behave(self, connection, request):
        path = request.path
        if path in ("/slow-header", "/slow-body"):
            if path == "/slow-body":
                connection.sendall(answer().replace(b": 20\r\n", b": 200\r\n"))
            # Nothing more until the client has gone.
            while connection.recv(65536):
                pass
        elif path == "/reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            computed = COMPUTED.get("/" + path.split("/")[1])
            whole = computed(request) if computed else ANSWERS[path]
            connection.sendall(whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.method == "HEAD" else whole)


def server_context(base, client_ca=None, highest=None):
    """TLS with BASE.pem and BASE.key; `client_ca` makes a client's certificate necessary."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{base}.pem", f"{base}.key")
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if highest:
        context.maximum_version = highest
    return context

"""A real nginx: plain, TLS with four certificates, slow and failing locations; or with the servers of one test."""

import os
import pathlib
import re
import socket

from lib.net import free_ports, has_ipv6, request, wait_for
from lib.process import Process

LOCATIONS = """
        root {root};
        location / {{ try_files $uri /index.html; }}
        location /status/404 {{ return 404; }}
        location = /health {{
            default_type application/json; keepalive_timeout 100ms;
            return 200 '{{"status": "ok", "queue": {{"depth": 17}}, "id": "$request_id"}}';
        }}
        location /status/500 {{ return 500; }}
        location /moved {{ return 301 /; }}
        location = /login {{ add_header Set-Cookie "session=c00kie-of-nobody; HttpOnly"; return 302 /?code=c0de-of-nobody; }}
        location = /flood {{ sendfile on; sendfile_max_chunk 0; }}
        location /silent {{ proxy_pass http://127.0.0.1:{upstream}; }}
        location /private {{
            if ($http_authorization != "Bearer {token}") {{ return 401; }}
            return 200 "for your eyes only";
        }}
"""


class Nginx:
    def __init__(self, directory, certificates, upstream, token="none"):
        self.directory = pathlib.Path(directory) / "nginx"
        self.directory.mkdir()
        root = self.directory / "root"
        root.mkdir()
        (root / "index.html").write_text("<html><title>Shop</title>Welcome to the shop</html>\n")
        # Much, from no disk: the reader is what limits it.
        with open(root / "flood", "wb") as flood:
            flood.truncate(64 << 30)
        names = ["plain", "good", "expired", "misnamed", "untrusted"]
        self.ports = dict(zip(names, free_ports(len(names))))
        locations = LOCATIONS.format(root=root, upstream=upstream.port, token=token)
        servers = ""
        for name, port in self.ports.items():
            tls = "" if name == "plain" else " ssl"
            listen = f"listen 127.0.0.1:{port}{tls};" + (f" listen [::1]:{port}{tls};" if has_ipv6() else "")
            if tls:
                base = getattr(certificates, name)
                listen += f" ssl_certificate {base}.pem; ssl_certificate_key {base}.key;"
                if name in certificates.staples:
                    listen += f" ssl_stapling on; ssl_stapling_file {certificates.staples[name]};"
            servers += f"    server {{ {listen} {locations} }}\n"
        self.configure(servers)

    def configure(self, servers):
        temporary = "".join(f"    {kind}_temp_path {self.directory}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config = self.directory / "nginx.conf"
        # Workers of root become www-data, who may not look into a temporary directory.
        user = "user root;" if os.geteuid() == 0 else ""
        self.config.write_text(f"""
{user}
daemon off;
worker_processes 1;
pid {self.directory}/pid;
error_log {self.directory}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    ssl_protocols TLSv1.2 TLSv1.3;
{temporary}{servers}}}
""")
        self.process = None

    def url(self, name="plain", path="/", host="127.0.0.1"):
        return f"{'http' if name == 'plain' else 'https'}://{host}:{self.ports[name]}{path}"

    def start(self):
        self.process = Process(["nginx", "-p", self.directory, "-e", self.directory / "error.log", "-c", self.config],
                               self.directory / "log")
        wait_for("answer of nginx", self.answers)
        return self

    def answers(self):
        if not self.process.running:
            raise RuntimeError(f"nginx has ended:\n{self.process.log}")
        return request(self.url()).status == 200

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


class NginxServers(Nginx):
    """`servers`: {name: lines of a `server`}, where @port@ is a free port of its own, @port NAME@ that of another."""

    def __init__(self, directory, servers):
        self.directory = pathlib.Path(directory) / "nginx-servers"
        self.directory.mkdir()
        own = [name for name, lines in servers.items() if "@port@" in lines]
        self.ports = dict(zip(own, free_ports(len(own))))
        text = "".join(f"    server {{ {lines.replace('@port@', f'@port {name}@')} }}\n"
                       for name, lines in servers.items())
        self.configure(re.sub("@port ([^@]+)@", lambda found: str(self.ports[found[1]]), text))

    def url(self, name, path="/", scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.ports[name]}{path}"

    def answers(self):
        if not self.process.running:
            raise RuntimeError(f"nginx has ended:\n{self.process.log}")
        for port in self.ports.values():
            socket.create_connection(("127.0.0.1", port)).close()
        return True

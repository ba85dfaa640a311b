"""What every row of the table uses: servers on loopback, Sonde, blackbox_exporter, and how a figure is printed."""

import json
import math
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import tempfile

from prometheus_client.parser import text_string_to_metric_families

from lib.certs import Authority
from lib.net import free_ports, request, wait_for
from lib.sonde import Sonde

BENCH = pathlib.Path(__file__).resolve().parents[3] / "build/bench/tests/bench"
TICKS = os.sysconf("SC_CLK_TCK")
ENGINE = '[engine]\nworkers = 1\nmax_in_flight_per_host = 10000\n[defaults]\ninterval = "1s"\ntimeout = "900ms"\n'

NGINX = """
user root; daemon off; worker_processes 1; pid {d}/nginx.pid; error_log {d}/error.log; worker_rlimit_nofile 20000;
events {{ worker_connections 8192; multi_accept on; }}
http {{ access_log off; keepalive_requests 1000000000; root {d}/www; open_file_cache max=100; ssl_protocols TLSv1.3; ssl_session_cache off;
client_body_temp_path {d}/a; proxy_temp_path {d}/b; fastcgi_temp_path {d}/c; uwsgi_temp_path {d}/d; scgi_temp_path {d}/e;
server {{ listen 127.0.0.1:{plain} backlog=4096; location / {{ try_files $uri /index.html; }} }}
server {{ listen 127.0.0.1:{clear2} http2 backlog=4096; location / {{ try_files $uri /index.html; }} }}
server {{ listen 127.0.0.1:{tls} ssl backlog=4096; ssl_certificate {cert}.pem; ssl_certificate_key {cert}.key; }} }}
"""


# As many connections are kept as check_cost has places.
MODULES = """
[modules.own]
tls = {{ ca_file = "{ca}" }}
[modules.resume]
tls = {{ ca_file = "{ca}", resume = true }}
[modules.reuse]
connection = "reuse"
pool_size = 64
[modules.reuse2]
connection = "reuse"
pool_size = 64
http2 = "prior_knowledge"
"""


class Bench:
    def __init__(self, options, closing):
        self.options = options
        self.closing = closing
        self.directory = pathlib.Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="sonde-bench-")))
        self.directory.chmod(0o755)
        self.plain, self.tls, self.clear2, self.delayed, self.blackbox_port = free_ports(5)
        authority = Authority(self.directory / "ca", "bench CA")
        self.ca = authority.pem
        www = self.directory / "www"
        www.mkdir()
        (www / "index.html").write_text("x" * 612)
        config = self.directory / "nginx.conf"
        config.write_text(NGINX.format(d=self.directory, plain=self.plain, tls=self.tls, clear2=self.clear2, cert=authority.issue("server")))
        self.start("nginx", "-e", self.directory / "error.log", "-c", config)
        # It stands for a machine of its own: what keeps these cores busy delays no answer.
        at_once = ("chrt", "--fifo", 50) if os.geteuid() == 0 else ()
        self.start(*at_once, BENCH / "delay_server", self.delayed, 50)
        (self.directory / "modules.toml").write_text(MODULES.format(ca=self.ca))
        for port in (self.plain, self.delayed):
            wait_for("a server", lambda port=port: request(f"http://127.0.0.1:{port}/").status == 200)
        self.count = 0

    def start(self, *words):
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.closing.callback(process.wait)
        self.closing.callback(process.terminate)
        return process

    def json(self, program, *words):
        done = subprocess.run([str(BENCH / program), *map(str, words)], capture_output=True, text=True, check=False)
        if not done.stdout.startswith("{"):
            raise RuntimeError(f"{program} {words}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout)

    def sonde(self, config):
        self.count += 1
        made = Sonde(self.directory, config, name=f"sonde-{self.count}")
        self.closing.callback(made.stop)
        return made.start()

    def blackbox(self):
        if not shutil.which("prometheus-blackbox-exporter") or not shutil.which("wrk"):
            return None
        config = self.directory / "blackbox.yml"
        config.write_text(f"modules:\n  plain: {{prober: http, http: {{preferred_ip_protocol: ip4}}}}\n  tls: {{prober: http, "
                          f"http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: {self.ca}}}}}}}\n")
        process = self.start("prometheus-blackbox-exporter", f"--config.file={config}", "--log.level=error",
                             f"--web.listen-address=127.0.0.1:{self.blackbox_port}")
        wait_for("blackbox_exporter",
                 lambda: request(f"http://127.0.0.1:{self.blackbox_port}/-/healthy").status == 200)
        return process


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def row(what, figure, unit, note=""):
    print(f"{what:44s} {figure:10.2f} {unit:10s} {note}", flush=True)


def target(name, url):
    return f'[[target]]\nname = "{name}"\nurl = "{url}"\n'


def targets(port, count):
    return "".join(target(f"t{i}", f"http://127.0.0.1:{port}/{i}") for i in range(count))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median_ratio(above, below):
    """Of pairs that were measured in the same moment."""
    return statistics.median(a / b for a, b in zip(above, below))


def samples(sonde, family):
    """Of this family alone: reading a page of everything would keep a core busy beside what is measured."""
    page = sonde.get(f"/metrics?collect[]={family}").text
    return [(sample.name, sample.labels, sample.value)
            for each in text_string_to_metric_families(page) for sample in each.samples]


def total(sonde, family):
    return sum(value for _, _, value in samples(sonde, family))


class Lag:
    """sonde_start_lag_seconds up to now."""

    def __init__(self, sonde, buckets=None):
        self.buckets = buckets or {}
        for name, labels, value in samples(sonde, "sonde_start_lag_seconds") if sonde else ():
            if name.endswith("_bucket"):
                self.buckets[float(labels["le"])] = value
        self.count = self.buckets[math.inf]

    def since(self, before):
        return Lag(None, {bound: count - before.buckets[bound] for bound, count in self.buckets.items()})

    def percentile(self, share):
        """The upper bound of its bucket, in seconds."""
        return next(bound for bound, count in sorted(self.buckets.items()) if count >= share * self.count)

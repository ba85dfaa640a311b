#!/usr/bin/env python3
"""A stand-in for Sonde: a fleet of invented targets, healthy and failing, with Sonde's metric names.

Serves /metrics in the text format, or writes a past as OpenMetrics for `promtool tsdb create-blocks-from
openmetrics`. It checks nothing; what it says about latency and failures comes from a seeded generator.
"""

import argparse
import http.server
import math
import random
import time
from dataclasses import dataclass, field

RTT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
LAG_BUCKETS = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
PHASES = ["resolve", "connect", "tls", "processing", "transfer", "other"]
DAY = 86400


@dataclass
class Spec:
    """One target: what it is and how it behaves."""

    name: str
    team: str
    latency: float  # typical seconds from the start to the last byte
    url: str = ""
    env: str = "production"
    module: str = "web"
    status: int = 200
    reason: str = ""  # how it fails
    outage: tuple = ()  # (period, length) in multiples of the interval; () with a reason: always failing
    cert_days: float = 60
    regexes: dict = field(default_factory=dict)  # label -> whether it is found while all is well
    flaky: float = 0.0  # share of checks that fail by chance


SPECS = [
    Spec("shop", "web", 0.120, regexes={"Welcome": 1, "no_error": 0}),
    Spec("shop-checkout", "payments", 0.210, flaky=0.004, reason="timeout", regexes={"checkout": 1}),
    Spec("www", "web", 0.065, cert_days=81),
    Spec("blog", "web", 0.180, cert_days=17),
    Spec("docs", "web", 0.045, status=301, cert_days=44),
    Spec("search", "search", 0.320, flaky=0.01, reason="timeout"),
    Spec("search-suggest", "search", 0.032),
    Spec("api", "platform", 0.038, module="api", regexes={'"status":"ok"': 1}),
    Spec("api-eu", "platform", 0.022, module="api"),
    Spec("api-us", "platform", 0.105, module="api"),
    Spec("api-legacy", "platform", 0.7, module="api", reason="unexpected_status", status=503, outage=(60, 6)),
    Spec("login", "identity", 0.085, module="api", status=401, cert_days=29),
    Spec("accounts", "identity", 0.140, reason="connection_reset", outage=(125, 3)),
    Spec("payments", "payments", 0.095, cert_days=5.4),
    Spec("invoices", "payments", 0.460, cert_days=72),
    Spec("cdn", "platform", 0.011, cert_days=88),
    Spec("status-page", "web", 0.075, cert_days=12),
    Spec("intranet", "office", 0.009, url="http://intranet.example/", env="internal"),
    Spec("wiki", "office", 0.055, url="http://wiki.example/", env="internal",
         reason="connect_refused", outage=(70, 5)),
    Spec("printer", "office", 0.2, url="http://printer.example/", env="internal", reason="unreachable", outage=(30, 4)),
    Spec("old-campaign", "web", 0.09, reason="certificate_expired", cert_days=-3),
    Spec("staging", "web", 0.11, env="staging", reason="unexpected_content", outage=(50, 20),
         regexes={"Welcome": 1, "no_error": 0}),
    Spec("partner", "payments", 0.26, reason="certificate_name", cert_days=50, outage=(80, 4)),
    Spec("gone", "web", 0.05, env="staging", reason="resolve_failed"),
]

# How far a check gets before each reason: the number of phases that were measured.
REACHED = {"resolve_failed": 1, "connect_refused": 2, "unreachable": 1, "timeout": 3, "connection_reset": 4,
           "certificate_expired": 3, "certificate_name": 3}


class Histogram:
    def __init__(self, bounds):
        self.bounds, self.counts, self.total, self.sum = bounds, [0] * len(bounds), 0, 0.0

    def observe(self, value):
        self.total += 1
        self.sum += value
        for i, bound in enumerate(self.bounds):
            if value <= bound:
                self.counts[i] += 1

    def samples(self, name, labels):
        for bound, count in zip(self.bounds, self.counts):
            yield f"{name}_bucket", {**labels, "le": f"{bound:g}"}, count
        yield f"{name}_bucket", {**labels, "le": "+Inf"}, self.total
        yield f"{name}_sum", labels, self.sum
        yield f"{name}_count", labels, self.total


class Target:
    def __init__(self, spec, interval, start, rng, slower):
        self.spec, self.interval, self.rng, self.slower = spec, interval, rng, slower
        self.next_check = start + rng.random() * interval
        self.url = spec.url or f"https://{spec.name}.example/"
        self.rtt = Histogram(RTT_BUCKETS)
        self.checks = {"success": 0, "failure": 0}
        self.failures = {}
        self.last = None
        self.last_success = None
        self.cert_expiry = start + spec.cert_days * DAY
        self.run = 0

    def failing(self):
        spec = self.spec
        if spec.flaky:
            return self.rng.random() < spec.flaky
        if not spec.reason:
            return False
        if not spec.outage:
            return True
        period, length = (self.slower * n for n in spec.outage)
        return self.run % period >= period - length

    def check(self, at):
        self.run += 1
        daily = 1 + 0.35 * math.sin(2 * math.pi * at / (6 * 3600))
        took = self.spec.latency * daily * self.rng.lognormvariate(0, 0.22)
        if self.rng.random() < 0.015:
            took *= 3 + 4 * self.rng.random()
        reason = self.spec.reason if self.failing() else ""
        reached = REACHED.get(reason, len(PHASES))
        tls = self.url.startswith("https")
        weights = [0.06, 0.14, 0.24 if tls else 0, 0.42, 0.13, 0.01]
        phases = {p: took * w for p, w in list(zip(PHASES, weights))[:reached] if w or p != "tls"}
        duration = 10.0 if reason == "timeout" else sum(phases.values())
        self.last = {"at": at, "reason": reason, "phases": phases, "duration": duration, "reached": reached}
        if reached == len(PHASES):
            self.rtt.observe(took)
        self.checks["failure" if reason else "success"] += 1
        if reason:
            self.failures[reason] = self.failures.get(reason, 0) + 1
        else:
            self.last_success = at

    def advance(self, now):
        while self.next_check <= now:
            self.check(self.next_check)
            self.next_check += self.interval

    def samples(self):
        spec, own = self.spec, {"target": self.spec.name, "team": self.spec.team, "env": self.spec.env}
        yield from self.bookkeeping(own)
        if not self.last:
            return
        reached, reason = self.last["reached"], self.last["reason"]
        yield "probe_ip_protocol", own, 4
        for phase, value in self.last["phases"].items():
            yield "probe_http_duration_seconds", {**own, "phase": phase}, value
        if reached > 2:
            yield "probe_tcp_rtt_seconds", own, self.last["phases"]["connect"] * 0.95
            if self.url.startswith("https"):
                yield from self.tls(own, 0 if reason.startswith("certificate") else 1)
        if reached < len(PHASES):
            return
        status = spec.status if reason or spec.status < 500 else 200
        yield "probe_http_status_code", own, status
        yield "probe_expectation_met", {**own, "name": "status"}, int(reason != "unexpected_status")
        yield "probe_http_version", own, 1.1
        yield "probe_http_redirects", own, 1 if status == 301 else 0
        yield "probe_http_content_length", own, 5120
        yield "probe_http_ssl", own, int(self.url.startswith("https"))
        if spec.regexes:
            yield "probe_failed_due_to_regex", own, int(reason == "unexpected_content")
        for regex, found in spec.regexes.items():
            met = int(reason != "unexpected_content")
            yield "probe_regex_match", {**own, "regex": regex}, found if met else 1 - found
            yield "probe_expectation_met", {**own, "name": regex}, met

    def bookkeeping(self, own):
        for result, count in self.checks.items():
            yield "probe_checks_total", {**own, "result": result}, count
        for reason, count in self.failures.items():
            yield "probe_failures_total", {**own, "reason": reason}, count
        yield from self.rtt.samples("probe_rtt_seconds", own)
        yield "probe_interval_seconds", own, self.interval
        yield "probe_target_info", {**own, "url": self.url, "kind": "http", "module": self.spec.module}, 1
        if self.last:
            yield "probe_success", own, int(not self.last["reason"])
            yield "probe_duration_seconds", own, self.last["duration"]
            yield "probe_last_check_timestamp_seconds", own, self.last["at"]
            if self.last["reason"]:
                yield "probe_failure_info", {**own, "reason": self.last["reason"]}, 1
        if self.last_success:
            yield "probe_last_success_timestamp_seconds", own, self.last_success

    def tls(self, own, verified):
        yield "probe_tls_verified", own, verified
        yield "probe_ssl_earliest_cert_expiry", own, self.cert_expiry
        if verified:
            yield "probe_ssl_last_chain_expiry_timestamp_seconds", own, self.cert_expiry
        yield "probe_ssl_last_chain_info", {
            **own, "fingerprint_sha256": f"{hash_of(self.spec.name):064x}", "subject": f"CN={self.spec.name}.example",
            "issuer": "CN=Example CA R3,O=Example", "subjectalternative": f"{self.spec.name}.example",
            "serialnumber": f"{hash_of(self.spec.name):x}"}, 1
        old = self.spec.name in ("partner", "invoices")
        yield "probe_tls_version_info", {**own, "version": "TLS 1.2" if old else "TLS 1.3"}, 1


def hash_of(text):
    return random.Random(text).getrandbits(60)


class Fleet:
    def __init__(self, interval, start, seed=7, slower=1):
        rng = random.Random(seed)
        self.start, self.now, self.rng = start, start, rng
        self.targets = [Target(spec, interval, start, random.Random(rng.random()), slower) for spec in SPECS]
        self.start_lag, self.loop_lag = Histogram(LAG_BUCKETS), Histogram(LAG_BUCKETS)
        self.skipped = {"overrun": 1, "overload": 0}
        self.cpu = 0.0
        self.busy = {"0": 0.02, "1": 0.02}

    def advance(self, now):
        for target in self.targets:
            before = target.run
            target.advance(now)
            for _ in range(target.run - before):
                self.start_lag.observe(self.rng.lognormvariate(-7.6, 0.7))
                self.loop_lag.observe(self.rng.lognormvariate(-8.6, 0.6))
        self.cpu += (now - self.now) * 0.018
        self.busy = {w: min(1, max(0.005, b + self.rng.uniform(-0.004, 0.004))) for w, b in self.busy.items()}
        if now - self.start > 3 * 3600:
            self.skipped["overrun"] = 3
        self.now = now

    def samples(self):
        for target in self.targets:
            yield from target.samples()
        own = {"target": "search", "team": "search", "env": "production"}
        for reason, count in self.skipped.items():
            if count:
                yield "probe_skipped_total", {**own, "reason": reason}, count
        yield "sonde_build_info", {"version": "0.1.0"}, 1
        yield "sonde_targets", {"kind": "http"}, len(self.targets)
        yield "sonde_checks_in_flight", {}, self.rng.randint(0, 3)
        yield from self.start_lag.samples("sonde_start_lag_seconds", {})
        yield from self.loop_lag.samples("sonde_loop_lag_seconds", {})
        for worker, ratio in self.busy.items():
            yield "sonde_worker_busy_ratio", {"worker": worker}, ratio
        yield "sonde_config_last_reload_successful", {}, 1
        yield "sonde_config_last_reload_success_timestamp_seconds", {}, self.start
        yield "sonde_scrape_duration_seconds", {}, 0.0006 + 0.0003 * self.rng.random()
        yield "process_cpu_seconds_total", {}, self.cpu
        yield "process_resident_memory_bytes", {}, 21e6 + 2e5 * self.rng.random()
        yield "process_virtual_memory_bytes", {}, 310e6
        yield "process_open_fds", {}, 46 + self.rng.randint(0, 6)
        yield "process_max_fds", {}, 20000
        yield "process_start_time_seconds", {}, self.start


COUNTERS = {"probe_checks_total", "probe_failures_total", "probe_skipped_total", "process_cpu_seconds_total"}
HISTOGRAMS = {"probe_rtt_seconds", "sonde_start_lag_seconds", "sonde_loop_lag_seconds"}


def family_of(name):
    for suffix in ("_bucket", "_sum", "_count"):
        if name.removesuffix(suffix) in HISTOGRAMS:
            return name.removesuffix(suffix)
    return name


def line(name, labels, value, extra="", at=""):
    escape = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
    text = ",".join(f'{k}="{str(v).translate(escape)}"' for k, v in labels.items())
    text = ",".join(part for part in (text, extra) if part)
    return f"{name}{{{text}}} {value!r}{at}\n" if text else f"{name} {value!r}{at}\n"


def exposition(fleet):
    families = {}
    for name, labels, value in fleet.samples():
        families.setdefault(family_of(name), []).append(line(name, labels, value))
    out = []
    for family, lines in families.items():
        kind = "histogram" if family in HISTOGRAMS else "counter" if family in COUNTERS else "gauge"
        out.append(f"# HELP {family} Invented by fake_sonde.\n# TYPE {family} {kind}\n")
        out += lines
    return "".join(out)


def backfill(path, seconds, step, interval):
    """Writes the last `seconds` as one scrape of a Prometheus every `step` seconds would have stored them."""
    end = time.time()
    fleet = Fleet(interval, end - seconds - 600, slower=6)  # few and long outages, as people have them
    now = end - seconds
    with open(path, "w", encoding="utf-8") as out:
        while now < end:
            fleet.advance(now)
            at = f" {now:.3f}"
            for name, labels, value in fleet.samples():
                instance = labels.get("target", "sonde:9115")
                out.write(line(name, labels, value, f'job="sonde",instance="{instance}",prober="sonde:9115"', at))
            for name, value in (("up", 1), ("scrape_duration_seconds", 0.004)):
                out.write(line(name, {}, value, 'job="sonde",instance="sonde:9115",prober="sonde:9115"', at))
            now += step
        out.write("# EOF\n")


def serve(host, port, interval):
    # 45 intervals old, so that within a minute every kind of outage begins and ends.
    fleet = Fleet(interval, time.time() - 45 * interval)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802, the name http.server calls
            if self.path != "/metrics":
                self.send_error(404)
                return
            fleet.advance(time.time())
            body = exposition(fleet).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):  # noqa: A002, the name http.server calls
            pass

    server = http.server.HTTPServer((host, port), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any; the port is printed")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two checks of a target")
    parser.add_argument("--backfill", metavar="FILE", help="write a past instead of serving")
    parser.add_argument("--seconds", type=float, default=6 * 3600, help="how long a past")
    parser.add_argument("--step", type=float, default=15)
    args = parser.parse_args()
    if args.backfill:
        backfill(args.backfill, args.seconds, args.step, args.interval)
    else:
        serve(args.host, args.port, args.interval)


if __name__ == "__main__":
    main()

"""How true it is: when checks start, what they report, and whether bad targets disturb good ones."""

import json
import statistics
import sys

from bench import ENGINE, Lag, percentile, row, samples, target, targets, total
from lib.dead_ends import BlackHole, DeadNameServer
from lib.net import wait_for
from lib.stack import Stack

DELAY = 50  # ms: of bench's delay_server

def lag(bench):
    rate = 5000
    sonde = bench.sonde(ENGINE + targets(bench.plain, rate))
    wait_for("a second of checks", lambda: Lag(sonde).count >= rate)
    p99, skipped = [], []
    for _ in range(bench.options.reps):
        before = Lag(sonde)
        wait_for("five seconds of checks", lambda start=before.count: Lag(sonde).count >= start + 5 * rate)
        p99.append(Lag(sonde).since(before).percentile(0.99) * 1000)
        skipped.append(total(sonde, "probe_skipped_total"))
    row(f"start lag p99 at {rate} a second, one worker", statistics.median(p99), "ms", "at most (bucket)")
    row("checks skipped meanwhile", skipped[-1], "")
    sonde.stop()


def bare_client(bench, rate):
    measured = bench.json("bare_client", bench.delayed, bench.options.secs, f"rate={rate}", "places=1024")
    return measured["ms_p50"] - DELAY, measured["ms_p99"] - DELAY


def reported(bench, rate):
    """What Sonde says of the last check of each target: its duration and its RTT, less what the server waited."""
    sonde = bench.sonde(ENGINE + targets(bench.delayed, rate))
    wait_for("three checks of each", lambda: Lag(sonde).count >= 3 * rate)
    durations = [value * 1000 - DELAY for _, _, value in samples(sonde, "probe_duration_seconds")]
    rtts = rtts_of(sonde, "t", min(rate, 1000))
    sonde.stop()
    return percentile(durations, 0.5), percentile(durations, 0.99), percentile(rtts, 0.5), percentile(rtts, 0.99)


def truth(bench):
    """How far what is reported is from the 50 ms after which the server answers."""
    hogs = [bench.start(sys.executable, "-c", "while True: pass") for _ in range(2 * bench.options.busy)]
    load = " (busy)" if hogs else ""
    for rate in (100, 1000, 2000, 5000):
        pairs = [(*bare_client(bench, rate), *reported(bench, rate)) for _ in range(bench.options.reps)]
        bare_p50, bare_p99, p50, p99, rtt_p50, rtt_p99 = (statistics.median(column) for column in zip(*pairs))
        row(f"error at {rate}/s{load}: the bare client", bare_p50, "ms p50", f"{bare_p99:.2f} p99")
        row(f"error at {rate}/s{load}: probe_duration_seconds", p50, "ms p50",
            f"{p99:.2f} p99; {p50 / bare_p50:.2f}x and {p99 / bare_p99:.2f}x")
        row(f"error at {rate}/s{load}: the RTT", rtt_p50, "ms p50",
            f"{rtt_p99:.2f} p99; {rtt_p50 / bare_p50:.2f}x and {rtt_p99 / bare_p99:.2f}x")
    for hog in hogs:
        hog.kill()


def rtts_of(sonde, name, limit=1000):
    """Of the targets whose name begins so, in ms, less what the server waited."""
    listed = json.loads(sonde.get(f"/api/targets?q={name}&limit={limit}").text)["targets"]
    return [each["rtt"] * 1000 - DELAY for each in listed if each["rtt"] and each["name"].startswith(name)]


def beside(bench, bad, engine=ENGINE):
    """Of a thousand healthy targets: p99 of their start lag and of their RTT, both in ms."""
    count = 1000
    good = "".join(target(f"good-{i}", f"http://127.0.0.1:{bench.delayed}/{i}") for i in range(count))
    sonde = bench.sonde(engine + 'max_body = "1024GiB"\n' + good + bad)
    wait_for("a round of checks", lambda: total(sonde, "probe_checks_total") >= 2 * count)
    before = Lag(sonde)
    wait_for("five rounds more", lambda: Lag(sonde).count >= before.count + 5 * count * (2 if bad else 1))
    lag_p99 = Lag(sonde).since(before).percentile(0.99) * 1000
    rtts = rtts_of(sonde, "good-")
    sonde.stop()
    assert len(rtts) == count, f"{count - len(rtts)} healthy targets failed"
    return lag_p99, percentile(rtts, 0.5), percentile(rtts, 0.99)


def isolation(bench):
    """A thousand healthy targets alone, and beside as many that hang, drip, flood or have no address."""
    stack = Stack()
    bench.closing.callback(stack.close)
    hole, name_server = BlackHole(), DeadNameServer()
    bench.closing.callback(hole.close)
    bench.closing.callback(name_server.close)
    cases = {
        "alone": ("",),
        "beside 1,000 black holes": (many("hole", 1000, f"http://127.0.0.1:{hole.port}/"),),
        "beside 200 that send a byte a second": (many("slow", 200, stack.upstream.url("/trickle")),),
        "beside an endless flood": (many("flood", 1, stack.nginx.url(path="/flood")),),
        "beside 1,000 names and a dead name server": (
            "".join(target(f"lost-{i}", f"http://lost-{i}.example/") for i in range(1000)),
            ENGINE.replace("workers = 1", f'workers = 1\ndns_servers = ["{name_server.address}"]')),
    }
    for what, case in cases.items():
        runs = [beside(bench, *case) for _ in range(bench.options.reps)]
        lag_p99, p50, p99 = (statistics.median(column) for column in zip(*runs))
        row(f"healthy {what}: start lag p99", lag_p99, "ms", f"at most (bucket); RTT's error {p50:.2f} p50, {p99:.2f} p99")


def many(name, count, url):
    return "".join(target(f"{name}-{i}", url) for i in range(count))

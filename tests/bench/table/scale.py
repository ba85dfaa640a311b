"""A million targets: start, memory, and reload and scrape beside their checks."""

import threading
import time
import urllib.request

from bench import Lag, cpu_of, row, rss_of, target
from lib.net import request, wait_for
from lib.sonde import Sonde

FILES = 100
CONFIG = '''
[engine]
targets_dir = "d"
max_in_flight_per_host = 10000
[defaults]
interval = "{interval}"
timeout = "10s"
'''
WINDOW = 10  # seconds


def memory_and_start(bench, each):
    """Nothing is checked meanwhile but what one place takes."""
    empty = bench.sonde("")
    base = rss_of(empty.process.process.pid)
    empty.stop()
    config = CONFIG.format(interval="7d").replace("[engine]", "[engine]\nmax_in_flight = 1")
    sonde = Sonde(bench.directory, config, name="many")
    bench.closing.callback(sonde.stop)
    write_targets(bench, sonde, each)
    began = time.monotonic()
    sonde.start()
    row(f"start with {each * FILES} targets of {FILES} files", time.monotonic() - began, "s")
    row("memory of an idle target, all in", (rss_of(sonde.process.process.pid) - base) / (each * FILES), "bytes")
    sonde.stop()


def write_targets(bench, sonde, each):
    (sonde.directory / "d").mkdir()
    for number in range(FILES):
        (sonde.directory / "d" / f"{number:02}.toml").write_text("".join(
            target(f"shop-{number:02}-{i:06}", f"http://127.0.0.1:{bench.plain}/{i}") for i in range(each)))


def scrape(sonde, query=""):
    """In pieces, as Prometheus reads it; the number of bytes."""
    got = 0
    with urllib.request.urlopen(sonde.url("/metrics" + query), timeout=300) as answer:
        while piece := answer.read(1 << 20):
            got += len(piece)
    return got


def watch(sonde, what, action):
    """What the starts of checks look like while something else goes on."""
    before = Lag(sonde)
    pid = sonde.process.process.pid
    used, began = cpu_of(pid), time.monotonic()
    peak = [rss_of(pid)]
    done = threading.Event()
    watcher = threading.Thread(target=lambda: [peak.append(rss_of(pid)) for _ in iter(lambda: done.wait(0.1), True)])
    watcher.start()
    note = action()
    seconds = time.monotonic() - began
    done.set()
    watcher.join()
    lag = Lag(sonde).since(before)
    row(f"{what}: start lag p99, at most", lag.percentile(0.99) * 1000, "ms",
        f"of {lag.count:.0f} checks in {seconds:.1f} s; largest at most {lag.percentile(1) * 1000:g} ms; "
        f"{cpu_of(pid) - used:.1f} s CPU; RSS +{(max(peak) - peak[0]) / 1e6:.0f} MB{note}")
    return seconds


def is_calm(sonde):
    before = Lag(sonde)
    time.sleep(2)
    recent = Lag(sonde).since(before)
    return recent.count and recent.percentile(0.99) <= 0.1


def scale(bench):
    each = bench.options.targets // FILES
    memory_and_start(bench, each)
    # A load that these cores carry: some 3,300 checks a second for a million.
    sonde = Sonde(bench.directory, CONFIG.format(interval="5m"), name="steady")
    bench.closing.callback(sonde.stop)
    write_targets(bench, sonde, each)
    sonde.start()
    wait_for("a first check of each, and the end of that rush", lambda: Lag(sonde).count >= each * FILES and is_calm(sonde), 600)
    watch(sonde, "checks alone", lambda: time.sleep(WINDOW) or "")

    def scrapes():
        began, pages, size = time.monotonic(), 0, 0
        while time.monotonic() < began + WINDOW:
            size = scrape(sonde)
            pages += 1
        return f"; {pages} pages of {size / 1e6:.0f} MB"

    watch(sonde, "beside scrapes", scrapes)

    def reload():
        with open(sonde.directory / "d" / "50.toml", "a", encoding="utf-8") as changed:
            changed.write(target("new", f"http://127.0.0.1:{bench.plain}/new"))
        done = request(sonde.url("/-/reload"), method="POST")
        return "" if done.status == 200 else done.text

    row("reload with one of the files changed", watch(sonde, "beside the reload", reload), "s")
    sonde.stop()

"""What it costs: CPU for a check, a sample of text, a million GETs."""

import re
import resource
import shutil
import statistics
import subprocess
import sys

from bench import BENCH, cpu_of, median_ratio, row


def probes_through_blackbox(bench, process, module, url):
    before = cpu_of(process.pid)
    target = f"http://127.0.0.1:{bench.blackbox_port}/probe?module={module}&target={url}"
    out = subprocess.run(["wrk", "-t1", "-c64", f"-d{max(1, round(bench.options.secs))}s", target], capture_output=True, text=True,
                         check=True).stdout
    return (cpu_of(process.pid) - before) * 1e6 / int(re.search(r"(\d+) requests in", out)[1])


def check_row(bench, what, url, bare_words, sonde_words, module=None):
    """One check, closed loop, 64 places: pairs of the same moment, so that the ratio means something."""
    limits, ours, peers, allocations = [], [], [], []
    peer = bench.blackbox() if module else None
    for _ in range(bench.options.reps):
        limits.append(bench.json("bare_client", *bare_words)["cpu_us"])
        measured = bench.json("check_cost", url, bench.options.secs, *sonde_words)
        ours.append(measured["cpu_us"])
        allocations.append(measured["allocations"])
        if peer:
            peers.append(probes_through_blackbox(bench, peer, module, url))
    if peer:
        peer.terminate()
        peer.wait()
    ratio = median_ratio(ours, limits)
    row(f"{what}: the limit", statistics.median(limits), "us CPU")
    row(f"{what}: Sonde", statistics.median(ours), "us CPU",
        f"{ratio:.2f}x the limit, {statistics.median(allocations):.2f} allocations")
    if peers:
        ratio = median_ratio(peers, limits)
        row(f"{what}: blackbox_exporter", statistics.median(peers), "us CPU", f"{ratio:.1f}x the limit")


def check(bench):
    check_row(bench, "plain check", f"http://127.0.0.1:{bench.plain}/", (bench.plain, bench.options.secs), (), "plain")


def tls(bench):
    check_row(bench, "TLS 1.3 check, verified", f"https://localhost:{bench.tls}/",
              (bench.tls, bench.options.secs, f"ca={bench.ca}"), (bench.directory / "modules.toml", "own"), "tls")


def resume(bench):
    check_row(bench, "TLS 1.3 check, resumed", f"https://localhost:{bench.tls}/",
              (bench.tls, bench.options.secs, f"ca={bench.ca}", "resume=1"), (bench.directory / "modules.toml", "resume"))


def load(words, found):
    """CPU microseconds of a load generator for each request, which its output counts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used * 1e6 / int(re.search(found, out)[1])


def reuse(bench):
    """A request on a kept connection, beside the load generators that do nothing else."""
    seconds = max(1, round(bench.options.secs))
    plain, clear2 = (f"http://127.0.0.1:{port}/" for port in (bench.plain, bench.clear2))
    rows = [("HTTP/1.1", plain, "reuse", ("wrk", "-t1", "-c64", f"-d{seconds}s", plain), r"(\d+) requests in")]
    if shutil.which("h2load"):
        rows.append(("HTTP/2", clear2, "reuse2", ("h2load", "-c64", "-m1", f"-D{seconds}", clear2), r"(\d+) succeeded"))
    for version, url, module, words, found in rows:
        limits, ours = [], []
        for _ in range(bench.options.reps):
            limits.append(load(words, found))
            ours.append(bench.json("check_cost", url, bench.options.secs, bench.directory / "modules.toml", module)["cpu_us"])
        row(f"kept connection, {version}: {words[0]}", statistics.median(limits), "us CPU")
        row(f"kept connection, {version}: Sonde", statistics.median(ours), "us CPU",
            f"{median_ratio(ours, limits):.2f}x {words[0]}")


def store(bench):
    """The metric store alone: record, text, memory."""
    done = subprocess.run([BENCH / "store_bench", str(bench.options.targets)], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        print(f"store: {line}", flush=True)


AIOHTTP = """
import asyncio, resource, sys, aiohttp
async def main(url, count):
    left = iter(range(count))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64, force_close=True)) as session:
        async def place():
            for _ in left:
                async with session.get(url) as answer:
                    await answer.read()
        await asyncio.gather(*(place() for _ in range(64)))
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def million(bench):
    url = f"http://127.0.0.1:{bench.plain}/"
    ours = bench.json("check_cost", url, "1000000n")
    row("a million GETs: Sonde", ours["cpu_us"] * (ours["n"] + ours["err"]) / 1e6, "s CPU", f"{ours['rss_kb'] / 1024:.0f} MiB")
    count = 50_000
    done = subprocess.run([sys.executable, "-c", AIOHTTP, url, str(count)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        used, kilobytes = done.stdout.split()
        row("a million GETs: aiohttp", float(used) * 1e6 / count, "s CPU", f"from {count}; {int(kilobytes) / 1024:.0f} MiB")

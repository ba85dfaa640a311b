"""2,000 checks a second for long: no drift of the phases, no growth of memory or descriptors.

  scripts/bench soak [--minutes N]     a line each minute; fails when something drifted, grew or was lost
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))

from bench import ENGINE, Bench, Lag, cpu_of, percentile, rss_of, samples, targets, total  # noqa: E402
from lib.net import wait_for  # noqa: E402

RATE = 2000
WARM = 3  # minutes until memory has its size


class Minute:
    def __init__(self, sonde):
        pid = sonde.process.process.pid
        self.rss = rss_of(pid)
        self.descriptors = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        self.cpu = cpu_of(pid)
        self.lag = Lag(sonde)
        self.skipped = total(sonde, "probe_skipped_total")
        self.phases = {labels["target"]: value % 1
                       for _, labels, value in samples(sonde, "probe_last_check_timestamp_seconds")}

    def drift(self, first):
        """In ms, of each target: how much later in its second it was checked than at first."""
        return [((now - first.phases[name] + 0.5) % 1 - 0.5) * 1000 for name, now in self.phases.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    with contextlib.ExitStack() as closing:
        bench = Bench(options, closing)
        sonde = bench.sonde(ENGINE + targets(bench.plain, RATE))
        wait_for("a first check of each", lambda: Lag(sonde).count >= 2 * RATE)
        minutes, began = [Minute(sonde)], time.monotonic()
        for number in range(1, options.minutes + 1):
            time.sleep(max(0, began + 60 * number - time.monotonic()))
            now, before = Minute(sonde), minutes[-1]
            minutes.append(now)
            lag = now.lag.since(before.lag)
            drift = now.drift(minutes[0])
            print(f"{number:3} min  {now.lag.count:9.0f} checks  {now.skipped:.0f} skipped  RSS {now.rss / 1e6:6.2f} MB  "
                  f"{now.descriptors} fds  {now.cpu - before.cpu:5.1f} s CPU  lag p99 {lag.percentile(0.99) * 1000:g} ms  "
                  f"phase {statistics.median(drift):+.2f} ms p50, {percentile(map(abs, drift), 0.99):.2f} p99", flush=True)
        sys.exit(judge(minutes, options.minutes))


def judge(minutes, length):
    first, warm, last = minutes[0], minutes[min(WARM, length)], minutes[-1]
    made, wanted = last.lag.count - first.lag.count, RATE * 60 * length
    wrong = []
    if made + last.skipped - first.skipped < 0.999 * wanted:
        wrong.append(f"{made:.0f} checks of {wanted}")
    if last.rss > 1.05 * warm.rss:
        wrong.append(f"memory grew from {warm.rss / 1e6:.2f} to {last.rss / 1e6:.2f} MB")
    # What is open differs with the checks that are under way.
    if last.descriptors > warm.descriptors + 50:
        wrong.append(f"descriptors grew from {warm.descriptors} to {last.descriptors}")
    if abs(statistics.median(last.drift(first))) > 2:
        wrong.append("the phases drifted")
    print("; ".join(wrong) or "no drift, no growth, nothing lost")
    return 1 if wrong else 0


if __name__ == "__main__":
    main()

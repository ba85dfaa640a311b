"""One table: what Sonde costs and how true it is, beside the limit and the peers of the same run.

  scripts/bench table [--reps N] [--secs S] [--targets N] [--busy] [ROW...]

Rows: check, tls, resume, reuse, store, lag, truth, isolation, scale, million; all but the last two, which take minutes,
when none is named. Each figure is the median of the repetitions. The limit is tests/bench/bare_client; blackbox_exporter,
wrk, h2load and aiohttp are measured where they are installed. CPU figures are the process's own time
for one check. Needs nginx; everything runs on loopback.
"""

import argparse
import contextlib
import pathlib
import resource
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))

import cost  # noqa: E402
import scale  # noqa: E402
import truth  # noqa: E402
from bench import Bench  # noqa: E402

ROWS = {"check": cost.check, "tls": cost.tls, "resume": cost.resume, "reuse": cost.reuse, "store": cost.store, "lag": truth.lag, "truth": truth.truth,
        "isolation": truth.isolation, "scale": scale.scale, "million": cost.million}
LONG = ("scale", "million")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--secs", type=float, default=2)
    parser.add_argument("--targets", type=int, default=100_000)
    parser.add_argument("--busy", action="store_true", help="truth: both cores kept busy by other processes")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as closing:
        bench = Bench(options, closing)
        for name in options.rows or [name for name in ROWS if name not in LONG]:
            ROWS[name](bench)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Fails when an alert has no test case in which it fires, or none in which it is silent."""

import pathlib
import re
import sys

RULES = pathlib.Path(__file__).resolve().parents[2] / "grafana" / "rules"


def cases():
    """(alert, whether it is expected to fire) for each case of each file of tests, one case for each eval_time."""
    for path in sorted((RULES / "tests").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        for case in re.split(r"^ *- (?=\{?eval_time:)", text, flags=re.MULTILINE)[1:]:
            if name := re.search(r"alertname: (\w+)", case):
                yield name.group(1), "exp_alerts: []" not in case


def main():
    alerts = set(re.findall(r"- alert: (\w+)", (RULES / "sonde-alerts.yml").read_text(encoding="utf-8")))
    seen = set(cases())
    missing = [f"{alert}: no case in which it {what}" for alert in sorted(alerts)
               for fires, what in ((True, "fires"), (False, "is silent")) if (alert, fires) not in seen]
    unknown = [f"{alert}: tested, but no such alert" for alert in sorted({name for name, _ in seen} - alerts)]
    print(*missing, *unknown, f"{len(alerts)} alerts, {len(missing) + len(unknown)} problems", sep="\n")
    return 1 if missing or unknown or not alerts else 0


if __name__ == "__main__":
    sys.exit(main())

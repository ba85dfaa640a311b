#!/usr/bin/env python3
"""The panels "Failures by reason" show the first failure of a reason, whose counter appears with 1: increase() cannot
see that. Asked of promtool, with the queries of the dashboards as they are."""

import json
import pathlib
import subprocess
import sys
import tempfile

DASHBOARDS = pathlib.Path(__file__).resolve().parents[2] / "grafana" / "dashboards"
VARIABLES = {"$__rate_interval": "1m", "$job": "sonde", "${label}": "team", "$value": "web", "$target": "shop"}
LABELS = 'job="sonde",instance="shop",target="shop",team="web",prober="a:9115"'

# Scraped every 15 s. Fails once at 5m0s with a timeout, for the second time at 10m0s; is refused from the start;
# nothing was scraped from 16m15s to 29m45s: what was counted before is not new afterwards.
SERIES = [
    (f'probe_checks_total{{{LABELS},result="failure"}}', "3x64 _x55 5x40"),
    (f'probe_failures_total{{{LABELS},reason="timeout"}}', "_x20 1x19 2x24 _x55 2x40"),
    (f'probe_failures_total{{{LABELS},reason="connect_refused"}}', "3x64 _x55 3x40"),
]
EXPECTED = [  # time, failures by reason
    ("4m45s", {"connect_refused": 0}),
    ("5m", {"connect_refused": 0, "timeout": 1}),
    ("5m45s", {"connect_refused": 0, "timeout": 1}),
    ("6m15s", {"connect_refused": 0, "timeout": 0}),
    ("10m15s", {"connect_refused": 0, "timeout": 1}),
    ("12m", {"connect_refused": 0, "timeout": 0}),
    ("30m30s", {"connect_refused": 0, "timeout": 0}),
]


def queries():
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            if panel["title"] == "Failures by reason":
                (target,) = panel["targets"]
                expr = target["expr"]
                for name, value in VARIABLES.items():
                    expr = expr.replace(name, value)
                yield f"round({expr})"  # increase() extrapolates


def main():
    found = list(queries())
    if len(found) != 2:
        print(f'check_failures: {len(found)} panels "Failures by reason"')
        return 1
    cases = [{"expr": expr, "eval_time": at,
              "exp_samples": [{"labels": f'{{reason="{reason}"}}', "value": value} for reason, value in counts.items()]}
             for expr in found for at, counts in EXPECTED]
    test = {"interval": "15s", "input_series": [{"series": series, "values": values} for series, values in SERIES],
            "promql_expr_test": cases}
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        json.dump({"rule_files": [], "evaluation_interval": "15s", "tests": [test]}, file)  # JSON is YAML
        file.flush()
        return subprocess.run(["promtool", "test", "rules", file.name], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What the comments in deploy/prometheus/prometheus.yml promise about labels, asked of a Prometheus that runs it."""

import sys

from check_panels import Prometheus

EMPTY = {
    "a target's series whose instance is not the target":
        'label_replace(probe_success, "instance", "$1", "target", "(.*)") unless probe_success',
    "a target's series without target": 'probe_success{target=""}',
    "a series that does not say which Sonde saw it": '{__name__=~"probe_success|sonde_.+|up",prober="",job="sonde"}',
    "Sonde's own series under a name other than its address":
        '{__name__=~"sonde_build_info|process_.+",job="sonde",instance!~".+:[0-9]+"}',
    "a label that Prometheus had to rename": '{exported_instance!=""} or {exported_job!=""} or {exported_target!=""}',
    "a scrape that failed": 'up{job="sonde"} == 0',
}
PRESENT = ['probe_success{instance="shop",target="shop",team="web"}', 'up{job="sonde"} == 1']


def main():
    prometheus = Prometheus(sys.argv[1])
    problems = [f"{what}: {series['metric']}" for what, expr in EMPTY.items()
                for series in prometheus.get("query", query=expr)["result"][:3]]
    problems += [f"nothing found: {expr}" for expr in PRESENT if not prometheus.get("query", query=expr)["result"]]
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    problems += [f"rule {rule['name']}: {rule['lastError']}" for rule in rules if rule["health"] == "err"]
    if {rule["type"] for rule in rules} != {"alerting", "recording"}:
        problems.append("rule_files: the alerts or the recording rules are not loaded")
    print(*problems, f"check_scrape: {len(rules)} rules, {len(EMPTY) + len(PRESENT)} questions, {len(problems)} problems", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

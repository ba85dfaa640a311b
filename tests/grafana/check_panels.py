#!/usr/bin/env python3
"""Runs every query of every dashboard against a Prometheus that scrapes a Sonde, as Grafana would.

    check_panels.py http://127.0.0.1:9090 [--range 300] [--rate-interval 60] [--wait 60]

Fills the variables from Prometheus with the dashboards' own variable queries, runs each panel's queries (those of the
target dashboard for every target, up to --targets) and fails when one is an error, is empty, or does not give what the
panel draws: labels its legend or columns name, buckets for a heatmap, shares between 0 and 1. EXCEPTIONS says
which queries may be empty and what must then be missing; with --strict none may.
"""

import argparse
import json
import math
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

DASHBOARDS = pathlib.Path(__file__).resolve().parents[2] / "grafana" / "dashboards"

# Panel title -> (queries, or None for all; reason; cause). They may be empty, but only while `cause` finds nothing either.
FAILING = "there is no failing target", "probe_failure_info"
FAILED = "no target has failed", "last_over_time(probe_failures_total[RANGE])"
SKIPPED = "no check was skipped", "probe_skipped_total"
EXCEPTIONS = {
    ("sonde-overview", "Down now"): (None, *FAILING),
    ("sonde-overview", "Down by reason"): (None, *FAILING),
    ("sonde-overview", "All targets"): ("B", *FAILING),
    ("sonde-target", "Reason"): (None, *FAILING),
    ("sonde-overview", "Failures by reason"): (None, *FAILED),
    ("sonde-target", "Failures by reason"): (None, *FAILED),
    ("sonde-overview", "Targets that failed in the shown time"):
        (None, "no target failed in the shown time", "min_over_time(probe_success[RANGE]) == 0"),
    ("sonde-overview", "Skipped checks"): (None, *SKIPPED),
    ("sonde-target", "Checks"): ("B", *SKIPPED),
}
# "Down now" B is the time since the last success: also empty when the failing targets have never succeeded.
EXCEPTIONS_OF_QUERY = {
    ("sonde-overview", "Down now", "B"):
        ("no failing target has ever succeeded",
         "probe_last_success_timestamp_seconds and on (target) probe_failure_info"),
}


class Prometheus:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path, **params):
        query = urllib.parse.urlencode(params, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise QueryError(json.load(error).get("error", str(error))) from error
        except urllib.error.URLError as error:
            raise QueryError(f"{self.url}: {error.reason}") from error

    def instant(self, expr, at):
        return self.get("query", query=expr, time=at)

    def range(self, expr, start, end, step):
        return self.get("query_range", query=expr, start=start, end=end, step=step)


class QueryError(Exception):
    """Prometheus refused a query or does not answer."""


class Run:
    """One pass over all dashboards."""

    def __init__(self, prometheus, args):
        self.prometheus, self.args = prometheus, args
        self.end = time.time()
        self.problems, self.empty_for_cause, self.queries = [], [], 0

    def window(self):
        return self.end - self.args.range, self.end, max(1, self.args.range // 40)

    def substitute(self, expr, variables):
        values = {**variables, "__rate_interval": f"{self.args.rate_interval}s", "__range": f"{self.args.range}s"}
        pattern = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$([A-Za-z_]\w*)")
        return pattern.sub(lambda m: values[m.group(1) or m.group(2)], expr)

    # ---- variables, as Grafana's Prometheus data source evaluates them

    def options(self, variable, variables):
        if variable["type"] == "custom":
            return [variable["current"]["value"]]
        query = self.substitute(variable["query"]["query"], variables)
        kind, inner = re.fullmatch(r"(label_names|label_values)\((.*)\)", query).groups()
        if kind == "label_names":
            found = self.prometheus.get("labels", **{"match[]": inner})
        else:
            selector, label = (part.strip() for part in inner.rsplit(",", 1))
            found = self.prometheus.get(f"label/{label}/values", **{"match[]": selector})
        wanted = re.compile(variable["regex"].strip("/") or ".*")
        return [value for value in found if wanted.match(value)]

    def settings(self, dashboard):
        """The values of the variables to try: what the dashboard starts with, and for each target."""
        variables, targets = {}, []
        for variable in dashboard["templating"]["list"]:
            name = variable["name"]
            if variable["type"] == "datasource":
                continue
            options = self.options(variable, variables)
            if not options:
                self.problems.append(f'{dashboard["uid"]}: variable {name} has no values')
                return []
            if variable["includeAll"]:
                variables[name] = variable.get("allValue") or "(" + "|".join(map(re.escape, options)) + ")"
            elif name == "target":
                targets = options[:self.args.targets]
                variables[name] = targets[0]
            else:
                default = variable.get("current", {}).get("value")
                variables[name] = default if default in options else options[0]
        return [{**variables, "target": target} for target in targets] or [variables]

    # ---- queries

    def fetch(self, target, variables):
        expr = self.substitute(target["expr"], variables)
        start, end, step = self.window()
        if target["instant"]:
            data, wanted = self.prometheus.instant(expr, end), "vector"
        else:
            data, wanted = self.prometheus.range(expr, start, end, step), "matrix"
        if data["resultType"] != wanted:
            raise QueryError(f'the result is a {data["resultType"]}, not a {wanted}')
        series = [(s["metric"], [float(v) for _, v in s.get("values", [s.get("value")])]) for s in data["result"]]
        return [(labels, [v for v in values if not math.isnan(v)]) for labels, values in series
                if not all(map(math.isnan, values))]

    def check_shape(self, panel, target, variables, series):
        """What Grafana would show wrongly without saying so."""
        legend = self.substitute(target.get("legendFormat", ""), variables)
        needed = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", legend))
        for labels, values in series:
            if missing := {name for name in needed if name not in labels} - self.optional_labels(variables):
                yield f"the legend names {sorted(missing)}, and a series has only {sorted(labels)}"
            if panel["fieldConfig"]["defaults"].get("unit") == "percentunit" and panel["title"] != "Error budget left":
                if not all(0 <= value <= 1.000001 for value in values):
                    yield f"a share outside of 0 to 1: {min(values)} to {max(values)}"
            if any(map(math.isinf, values)):
                yield "an infinite value"
        if panel["type"] == "heatmap":
            bounds = {labels.get("le") for labels, _ in series}
            if len(bounds) < 3 or "+Inf" not in bounds:
                yield f"no buckets of a histogram: le is {sorted(map(str, bounds))}"
        if len(series) > 1 and not needed and target.get("format") not in ("table", "heatmap"):
            yield f"{len(series)} series under one name"

    @staticmethod
    def optional_labels(variables):
        return {variables["label"]} if "label" in variables else set()  # a target may lack the label chosen

    def check_columns(self, uid, panel, found):
        """A column that a table renames must come from some query, or the rename does nothing."""
        rename = {}
        for step in panel.get("transformations", []):
            rename = step["options"].get("renameByName", {})
        if any(step["id"] == "reduce" for step in panel.get("transformations", [])):
            return
        for column in rename:
            if column.startswith("Value #"):
                known = column.removeprefix("Value #") in {target["refId"] for target in panel["targets"]}
            else:
                known = column in {label for series in found.values() for labels, _ in series for label in labels}
                known = known or not all(found.values())
            if not known:
                self.problems.append(f'{uid}: "{panel["title"]}" has no column {column}')

    def excuse(self, uid, panel, ref):
        if self.args.strict:
            return None
        candidates = []
        if (uid, panel["title"]) in EXCEPTIONS:
            refs, reason, cause = EXCEPTIONS[uid, panel["title"]]
            if refs is None or ref in refs:
                candidates.append((reason, cause))
        if (uid, panel["title"], ref) in EXCEPTIONS_OF_QUERY:
            candidates.append(EXCEPTIONS_OF_QUERY[uid, panel["title"], ref])
        for reason, cause in candidates:
            expr = cause.replace("RANGE", f"{self.args.range}s")
            if not self.prometheus.instant(expr, self.end)["result"]:
                return reason
        return None

    def check_panel(self, uid, panel, settings):
        found = {target["refId"]: [] for target in panel["targets"]}
        for target in panel["targets"]:
            self.queries += 1
            where = f'{uid}: "{panel["title"]}" {target["refId"]}'
            said = set()
            for variables in settings:
                try:
                    series = self.fetch(target, variables)
                except QueryError as error:
                    said.add(str(error))
                    continue
                found[target["refId"]] += series
                said.update(self.check_shape(panel, target, variables, series))
            self.problems += [f"{where}: {text}\n    {target['expr']}" for text in sorted(said)]
            if not found[target["refId"]] and not said:
                reason = self.excuse(uid, panel, target["refId"])
                if reason:
                    self.empty_for_cause.append(f"{where}: empty, as {reason}")
                else:
                    self.problems.append(f"{where}: empty\n    {target['expr']}")
            if self.args.verbose:
                print(f"{where}: {len(found[target['refId']])} series")
        self.check_columns(uid, panel, found)

    def check(self, path):
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        try:
            settings = self.settings(dashboard)
        except QueryError as error:
            self.problems.append(f'{dashboard["uid"]}: variables: {error}')
            return
        if not settings:
            return
        for panel in dashboard["panels"]:
            for inner in [panel, *panel.get("panels", [])]:
                if inner["type"] != "row":
                    self.check_panel(dashboard["uid"], inner, settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prometheus", help="its URL")
    parser.add_argument("--range", type=int, default=300, help="seconds shown, up to now")
    parser.add_argument("--rate-interval", type=int, default=60, help="$__rate_interval in seconds: at least 4 scrapes")
    parser.add_argument("--targets", type=int, default=30, help="for how many targets to try the target dashboard")
    parser.add_argument("--wait", type=int, default=0, help="seconds to try again while something is missing")
    parser.add_argument("--strict", action="store_true", help="no exceptions: the fleet has failing targets of each kind")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    deadline = time.monotonic() + args.wait
    paths = sorted(DASHBOARDS.glob("*.json"))
    while True:
        run = Run(Prometheus(args.prometheus), args)
        for path in paths:
            run.check(path)
        if not run.problems or time.monotonic() > deadline:
            break
        time.sleep(2)
    print(*run.empty_for_cause, *run.problems, sep="\n")
    print(f"check_panels: {len(paths)} dashboards, {run.queries} queries, {len(run.problems)} problems, "
          f"{len(run.empty_for_cause)} empty for a known cause")
    return 1 if run.problems or not run.queries else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the Kubernetes manifests mean, beyond fields and types: that selectors select, that references resolve, that the
Pods fit the restricted standard, and that what is written in two places is the same. Reads what kustomize made of them
from $MANIFESTS (see run)."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFESTS = pathlib.Path(os.environ["MANIFESTS"])


def load(name):
    objects = {}
    for item in yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text()):
        key = (item["kind"], item["metadata"]["name"])
        assert key not in objects, f"{key} twice"
        objects[key] = item
    return objects


DEFAULT = load("default")
EVERYTHING = load("everything")


def selects(selector, labels):
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


class Manifests(unittest.TestCase):
    def setUp(self):
        self.deployment = EVERYTHING["Deployment", "sonde"]["spec"]
        self.pod = self.deployment["template"]["spec"]
        self.labels = self.deployment["template"]["metadata"]["labels"]
        self.container = self.pod["containers"][0]

    def test_one_monitor_is_active_and_the_other_is_there(self):
        kinds = [kind for kind, _ in DEFAULT]
        self.assertEqual(kinds.count("PodMonitor") + kinds.count("ServiceMonitor"), 1)
        self.assertIn(("PodMonitor", "sonde"), EVERYTHING)
        self.assertIn(("ServiceMonitor", "sonde"), EVERYTHING)

    def test_every_selector_selects_the_pods(self):
        matched = {
            "Deployment": self.deployment["selector"]["matchLabels"],
            "Service": EVERYTHING["Service", "sonde"]["spec"]["selector"],
            "PodDisruptionBudget": EVERYTHING["PodDisruptionBudget", "sonde"]["spec"]["selector"]["matchLabels"],
            "NetworkPolicy": EVERYTHING["NetworkPolicy", "sonde"]["spec"]["podSelector"]["matchLabels"],
            "PodMonitor": EVERYTHING["PodMonitor", "sonde"]["spec"]["selector"]["matchLabels"],
        }
        for spread in self.pod["topologySpreadConstraints"]:
            matched[spread["topologyKey"]] = spread["labelSelector"]["matchLabels"]
        for name, selector in matched.items():
            with self.subTest(name):
                self.assertTrue(selects(selector, self.labels), selector)
        service = EVERYTHING["Service", "sonde"]["metadata"]["labels"]
        self.assertTrue(selects(EVERYTHING["ServiceMonitor", "sonde"]["spec"]["selector"]["matchLabels"], service))

    def test_ports_are_named_the_same(self):
        (port,) = self.container["ports"]
        self.assertEqual(port["containerPort"], 9115)
        (service,) = EVERYTHING["Service", "sonde"]["spec"]["ports"]
        names = [service["targetPort"]]
        names += [self.container[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "readiness", "liveness")]
        names += [e["port"] for e in EVERYTHING["PodMonitor", "sonde"]["spec"]["podMetricsEndpoints"]]
        policy = EVERYTHING["NetworkPolicy", "sonde"]["spec"]["ingress"]
        names += [p["port"] for rule in policy for p in rule["ports"]]
        self.assertEqual(set(names), {port["name"]})
        self.assertEqual([e["port"] for e in EVERYTHING["ServiceMonitor", "sonde"]["spec"]["endpoints"]], [service["name"]])

    def test_pods_fit_the_restricted_standard(self):
        self.assertEqual(len(self.pod["containers"]), 1)
        self.assertNotIn("initContainers", self.pod)
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            self.assertNotIn(key, self.pod)
        self.assertIs(self.pod["securityContext"]["runAsNonRoot"], True)
        self.assertGreater(self.pod["securityContext"]["runAsUser"], 0)
        self.assertEqual(self.pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
        context = self.container["securityContext"]
        self.assertIs(context["allowPrivilegeEscalation"], False)
        self.assertIs(context["readOnlyRootFilesystem"], True)
        self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
        self.assertNotIn("hostPort", self.container["ports"][0])
        for volume in self.pod["volumes"]:
            self.assertLessEqual(set(volume) - {"name"}, {"configMap", "secret"})
        for item in (self.pod, EVERYTHING["ServiceAccount", "sonde"]):
            self.assertIs(item["automountServiceAccountToken"], False)

    def test_mounts_are_directories_that_follow_their_objects(self):
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        for mount in self.container["volumeMounts"]:
            self.assertNotIn("subPath", mount)
            self.assertIn(mount["name"], volumes)
        for volume in volumes.values():
            if "configMap" in volume:
                self.assertIn(("ConfigMap", volume["configMap"]["name"]), DEFAULT)
            else:
                self.assertIs(volume["secret"]["optional"], True)
                self.assertIn(("Secret", volume["secret"]["secretName"]), EVERYTHING)

    def test_the_binary_takes_the_mounted_config(self):
        """Laid out as the kubelet does it: files are links into ..data, which is a link to a dated folder."""
        with tempfile.TemporaryDirectory() as scratch:
            volumes = {v["name"]: v["configMap"]["name"] for v in self.pod["volumes"] if "configMap" in v}
            for mount in self.container["volumeMounts"]:
                if mount["name"] not in volumes:
                    continue
                folder = pathlib.Path(scratch + mount["mountPath"])
                dated = folder / "..2026_01_02_03_04_05.6"
                dated.mkdir(parents=True)
                (folder / "..data").symlink_to(dated.name)
                for name, text in DEFAULT["ConfigMap", volumes[mount["name"]]]["data"].items():
                    (dated / name).write_text(text)
                    (folder / name).symlink_to(f"..data/{name}")
            arguments = [a.replace("=/etc/", f"={scratch}/etc/") for a in self.container["args"]]
            self.assertTrue(any(scratch in a for a in arguments), arguments)
            done = subprocess.run([os.environ["SONDE"], "--config.check", *arguments], capture_output=True, text=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

            # The same with a mistake in the targets: the check above did read them.
            broken = pathlib.Path(scratch) / "etc/sonde/targets.d/..data/cluster.toml"
            broken.write_text('[[target]]\nurl = "http://127.0.0.1/"\nintervall = "1s"\n')
            done = subprocess.run([os.environ["SONDE"], "--config.check", *arguments], capture_output=True, text=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("intervall", done.stdout + done.stderr)

    def test_monitors_relabel_as_the_prometheus_config_does(self):
        config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
        (job,) = (j for j in config["scrape_configs"] if j["job_name"] == "sonde")

        def camel(rule):
            names = {"source_labels": "sourceLabels", "target_label": "targetLabel"}
            return {names.get(key, key): value for key, value in rule.items()}

        expected = [camel(rule) for rule in job["metric_relabel_configs"]]
        pods = EVERYTHING["PodMonitor", "sonde"]["spec"]["podMetricsEndpoints"]
        services = EVERYTHING["ServiceMonitor", "sonde"]["spec"]["endpoints"]
        self.assertEqual(pods, services)
        for endpoint in pods:
            self.assertEqual(endpoint["metricRelabelings"], expected)
            self.assertEqual([rule["targetLabel"] for rule in endpoint["relabelings"]],
                             [rule["target_label"] for rule in job["relabel_configs"]])
        # The job of both is the value of this label.
        self.assertEqual(EVERYTHING["PodMonitor", "sonde"]["spec"]["jobLabel"], "app.kubernetes.io/name")
        self.assertEqual(self.labels["app.kubernetes.io/name"], job["job_name"])

    def test_rules_are_those_of_the_rule_files(self):
        rules = {name: item["spec"] for (kind, name), item in DEFAULT.items() if kind == "PrometheusRule"}
        files = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "grafana/rules").glob("*.yml")}
        self.assertEqual(rules, files)
        self.assertGreater(len(rules), 0)

    def test_every_dashboard_is_in_a_config_map_of_its_size(self):
        packed = {}
        for (kind, _), item in EVERYTHING.items():
            if kind == "ConfigMap" and item["metadata"].get("labels", {}).get("grafana_dashboard") == "1":
                packed |= item["data"]
        dashboards = {path.name: path.read_text() for path in (ROOT / "grafana/dashboards").glob("*.json")}
        self.assertGreater(len(dashboards), 0)
        self.assertEqual({name: json.loads(text) for name, text in packed.items()},
                         {name: json.loads(text) for name, text in dashboards.items()})
        for (kind, name), item in EVERYTHING.items():
            if kind == "ConfigMap":
                self.assertLess(len(json.dumps(item)), 1_000_000, name)

    def test_the_grace_period_is_longer_than_our_own(self):
        config = (ROOT / "deploy/k8s/config/sonde.toml").read_text()
        self.assertNotIn("shutdown_grace", config, "compare it with terminationGracePeriodSeconds here")
        self.assertGreater(self.pod["terminationGracePeriodSeconds"], 5 + 1)


if __name__ == "__main__":
    unittest.main()

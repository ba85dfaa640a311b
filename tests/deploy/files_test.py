"""The files that are installed and the scripts that are told about, held against the real binary: $SONDE."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def sonde(*arguments):
    return subprocess.run([os.environ["SONDE"], *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          check=False)


class Files(unittest.TestCase):
    def test_the_default_config_is_good_where_it_is_and_where_it_is_installed(self):
        done = sonde("--config.check", "--config.file", ROOT / "config/default.toml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with tempfile.TemporaryDirectory() as scratch:
            installed = pathlib.Path(scratch)
            shutil.copy(ROOT / "config/default.toml", installed / "sonde.toml")
            (installed / "targets.d").mkdir()
            shutil.copy(ROOT / "config/targets.d/example", installed / "targets.d/shop.toml")
            done = sonde("--config.check", "--config.file", installed / "sonde.toml")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_config_of_the_readme_starts_as_it_is(self):
        config = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
        self.assertIn("[[target]]", config)
        with tempfile.TemporaryDirectory() as scratch:
            file = pathlib.Path(scratch) / "sonde.toml"
            file.write_text(config)
            done = sonde("--config.check", "--config.file", file)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_sockets_of_the_examples_are_where_the_service_may_make_them(self):
        unit = (ROOT / "deploy/systemd/sonde.service").read_text()
        (folder,) = re.findall(r"^RuntimeDirectory=(\S+)$", unit, re.MULTILINE)
        sockets = [socket for file in (ROOT / "config").rglob("*.toml")
                   for socket in re.findall(r'"unix:([^"]+)"', file.read_text())]
        self.assertGreater(len(sockets), 0)
        self.assertEqual({str(pathlib.Path(socket).parent) for socket in sockets}, {f"/run/{folder}"})

    def test_the_service_is_stopped_no_sooner_than_it_ends_by_itself(self):
        unit = (ROOT / "deploy/systemd/sonde.service").read_text()
        (limit,) = re.findall(r"^TimeoutStopSec=(\d+)s$", unit, re.MULTILINE)
        (grace,) = re.findall(r'`shutdown_grace` \|.*?\| `"(\d+)s"`', (ROOT / "docs/config.md").read_text())
        self.assertGreater(int(limit), int(grace) + 1)

    def test_the_manual_page_has_every_option(self):
        page = (ROOT / "deploy/debian/sonde.1").read_text().replace("\\-", "-")
        for arguments in (["--help"], ["probe", "--help"]):
            done = sonde(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            options = set(re.findall(r"(?<![\w-])--[a-z][a-z.-]*", done.stdout))
            self.assertGreater(len(options), 1)
            self.assertEqual({option for option in options if option not in page}, set())

    def test_the_version_is_the_same_everywhere(self):
        (version,) = re.findall(r"project\(sonde VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())
        self.assertIn(version, sonde("--version").stdout)
        self.assertIn(f"sonde ({version})", (ROOT / "deploy/debian/changelog").read_text().splitlines()[0])
        self.assertIn(f"Sonde {version}", (ROOT / "deploy/debian/sonde.1").read_text().splitlines()[0])
        self.assertIn(f"newTag: {version}", (ROOT / "deploy/k8s/kustomization.yaml").read_text())

    def test_compose_mounts_what_is_there_where_it_is_looked_for(self):
        folder = ROOT / "deploy/compose"
        services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
        mounted = {}
        for name, service in services.items():
            for volume in service["volumes"]:
                source, target = volume.split(":")[:2]
                if source.startswith("."):
                    self.assertTrue((folder / source).exists(), volume)
                    mounted[name, target] = (folder / source).resolve()
        provider = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/sonde.yaml").read_text())["providers"][0]
        self.assertEqual(mounted["grafana", provider["options"]["path"]], ROOT / "grafana/dashboards")
        source = (ROOT / "grafana/provisioning/datasources/sonde.yaml").read_text()
        for variable in re.findall(r"\$\{(\w+)\}", source):
            self.assertIn(variable, services["grafana"]["environment"])


if __name__ == "__main__":
    unittest.main()

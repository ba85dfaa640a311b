"""Every metric that Sonde promises, asked of a Prometheus that scrapes it with the shipped configuration."""

import gzip
import subprocess
import sys
import unittest

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from lib.net import PATIENCE, request, wait_for
from lib.prometheus import ROOT
from lib.stack import Stack

CONFIG = """
[engine]
workers = 2
max_in_flight_per_host = 4

[metrics]
extra = ["probe_dns_lookup_time_seconds", "probe_ip_addr_hash", "probe_http_uncompressed_body_length",
         "probe_http_last_modified_timestamp_seconds", "probe_http_responses_total", "probe_tls_cipher_info",
         "probe_tls_ocsp_info", "probe_tcp_retransmits"]

[defaults]
interval = "1s"
timeout = "900ms"

[modules.shop]
tls = {{ ca_file = "{ca}" }}
regex = ["Welcome", {{ name = "no_error", pattern = "(?i)exception", expect = "absent" }}]

[[target]]
name = "shop"
url = "{shop}"
module = "shop"
labels = {{ team = "web" }}

[[target]]
name = "missing"
url = "{missing}"
module = "shop"
"""

# Everything that has to be asked for. The server closes a kept connection long before the next check.
RICH = """
[[target]]
name = "rich"
url = "{health}"
connection = "reuse"
addresses = "all"
ip_protocol = "ip4"
ip_protocol_fallback = false
tls = {{ ca_file = "{ca}", resume = true }}
expect_json = {{ name = "ok", expression = "body.status == 'ok'" }}
extract = [{{ name = "depth", json = "body.queue.depth" }}, {{ name = "status", json = "body.status", as = "info" }}]
body_sha256 = true
body_changed = true
"""

# More checks than the cap on one host lets through: some are skipped for overload.
SILENT = """
[[target]]
name = "silent-{number}"
url = "{url}"
"""

SHOP = 'target="shop",team="web",instance="shop",job="sonde"'
SECOND = "(time() - {} < 30)"
PHASES = ("resolve", "connect", "tls", "processing", "transfer", "other")

# Of docs/metrics.md: a query that must give exactly one series (unless said otherwise), with what it must be.
QUERIES = [
    f"probe_success{{{SHOP}}} == 1",
    f"probe_duration_seconds{{{SHOP}}} > 0",
    f"probe_up{{{SHOP}}} == 1",
    f'probe_rtt_seconds_bucket{{{SHOP},le="+Inf"}} >= 2',
    f"probe_rtt_seconds_count{{{SHOP}}} >= 2",
    f"probe_rtt_seconds_sum{{{SHOP}}} > 0",
    f"histogram_quantile(0.9, rate(probe_rtt_seconds_bucket{{{SHOP}}}[30s])) > 0",
    SECOND.format(f"probe_last_check_timestamp_seconds{{{SHOP}}}"),
    SECOND.format(f"probe_last_success_timestamp_seconds{{{SHOP}}}"),
    f'probe_checks_total{{{SHOP},result="success"}} >= 2',
    f'probe_checks_total{{{SHOP},result="failure"}} == 0',
    'probe_failures_total{target="missing",reason="unexpected_status"} >= 2',
    'sum(probe_skipped_total{target=~"silent-.+",reason="overload"}) > 0',
    'probe_failure_info{target="missing",reason="unexpected_status"} == 1',
    f'probe_expectation_met{{{SHOP},name="no_error"}} == 1',
    f'probe_expectation_met{{{SHOP},name="Welcome"}} == 1',
    f"probe_interval_seconds{{{SHOP}}} == 1",
    f'probe_target_info{{{SHOP},kind="http",module="shop"}} == 1',
    f"probe_http_status_code{{{SHOP}}} == 200",
    'probe_http_status_code{target="missing"} == 404',
    f"probe_http_version{{{SHOP}}} == 1.1",
    f"probe_http_redirects{{{SHOP}}} == 1",
    f"probe_http_content_length{{{SHOP}}} > 0",
    f"probe_http_ssl{{{SHOP}}} == 1",
    f"probe_http_uncompressed_body_length{{{SHOP}}} > 0",
    f"probe_http_last_modified_timestamp_seconds{{{SHOP}}} > 0",
    f"probe_ip_addr_hash{{{SHOP}}} > 0",
    f"probe_dns_lookup_time_seconds{{{SHOP}}} >= 0",
    f'probe_http_responses_total{{{SHOP},code="200"}} >= 2',
    *(f'probe_http_duration_seconds{{{SHOP},phase="{phase}"}} >= 0' for phase in PHASES),
    f"sum(probe_http_duration_seconds{{{SHOP}}}) <= on () probe_duration_seconds{{{SHOP}}}",
    f"probe_ip_protocol{{{SHOP}}} > 3",
    f'probe_regex_match{{{SHOP},regex="Welcome"}} == 1',
    f'probe_regex_match{{{SHOP},regex="no_error"}} == 0',
    f"probe_failed_due_to_regex{{{SHOP}}} == 0",
    f"probe_ssl_earliest_cert_expiry{{{SHOP}}} - time() > 10 * 86400",
    f"probe_ssl_last_chain_expiry_timestamp_seconds{{{SHOP}}} - time() > 10 * 86400",
    f'probe_ssl_last_chain_info{{{SHOP},subject="CN=good",issuer="CN=sonde e2e root",'
    'subjectalternative="localhost",fingerprint_sha256=~"[0-9a-f]{64}",serialnumber=~"[0-9a-f]+"} == 1',
    f'probe_tls_version_info{{{SHOP},version="TLS 1.3"}} == 1',
    f"probe_tls_verified{{{SHOP}}} == 1",
    f'probe_tls_cipher_info{{{SHOP},cipher=~"TLS_.+"}} == 1',
    f'probe_tls_ocsp_info{{{SHOP},status="good"}} == 1',
    f"probe_tcp_rtt_seconds{{{SHOP}}} > 0",
    'probe_expectation_met{target="rich",name="ok"} == 1',
    'probe_extracted_value{target="rich",name="depth"} == 17',
    'probe_extracted_info{target="rich",name="status",value="ok"} == 1',
    'probe_http_body_sha256_info{target="rich",sha256=~"[0-9a-f]{64}"} == 1',
    'probe_http_body_changed{target="rich"} == 1',
    'probe_http_connection_reused{target="rich"} == 0',
    'probe_http_dead_connections_total{target="rich"} >= 1',
    'probe_tls_resumed{target="rich"} == 1',
    'probe_address_success{target="rich",ip="127.0.0.1"} == 1',
    'probe_address_duration_seconds{target="rich",ip="127.0.0.1"} > 0',
    'probe_address_rtt_seconds{target="rich",ip="127.0.0.1"} > 0',
    f"probe_tcp_retransmits{{{SHOP}}} >= 0",
    'sonde_build_info{version=~".+"} == 1',
    'sonde_targets{kind="http"} > 2',
    "sonde_checks_in_flight >= 0",
    "sonde_start_lag_seconds_count > 0",
    "histogram_quantile(0.5, sum by (le) (rate(sonde_start_lag_seconds_bucket[30s]))) >= 0",
    "sonde_loop_lag_seconds_count > 0",
    'sonde_worker_busy_ratio{worker="0"} >= 0',
    'sonde_worker_busy_ratio{worker="1"} <= 1',
    "sonde_config_last_reload_successful == 1",
    SECOND.format("sonde_config_last_reload_success_timestamp_seconds").replace("30", "300"),
    "sonde_scrape_duration_seconds > 0",
    "process_cpu_seconds_total{job=\"sonde\"} > 0",
    "process_resident_memory_bytes{job=\"sonde\"} > 1e6",
    "process_open_fds{job=\"sonde\"} > 3",
    "process_max_fds{job=\"sonde\"} > 100",
    SECOND.format("process_start_time_seconds{job=\"sonde\"}").replace("30", "600"),
]

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        nginx = cls.stack.nginx
        config = CONFIG.format(ca=cls.stack.certificates.ca, shop=nginx.url("good", "/moved", host="localhost"),
                               missing=nginx.url("plain", "/status/404"))
        config += RICH.format(ca=cls.stack.certificates.ca, health=nginx.url("good", "/health", host="localhost"))
        config += "".join(SILENT.format(number=i, url=cls.stack.upstream.url("/silent")) for i in range(12))
        cls.sonde = cls.stack.sonde(config).start()
        cls.prometheus = cls.stack.prometheus(cls.sonde)
        # Two intervals: every gauge and counter has been written twice and scraped after that.
        cls.prometheus.wait('count_over_time(probe_success{target="shop"}[1m]) >= 2 and on (target) '
                            'probe_checks_total{target="shop",result="success"} >= 2')

    def test_every_metric_by_promql(self):
        for promql in QUERIES:
            with self.subTest(promql):
                found = self.prometheus.wait(promql)
                self.assertEqual(len(found), 1, found)

    def test_what_was_not_measured_is_absent(self):
        for promql in ('probe_tls_verified{target="missing"}', 'probe_failure_info{target="shop"}',
                       'probe_failures_total{target="shop"}', 'probe_last_success_timestamp_seconds{target="missing"}',
                       'probe_http_status_code{target=~"silent-.+"}', 'probe_rtt_seconds_count{target=~"silent-.+"} > 0',
                       'probe_http_duration_seconds{target="missing",phase="tls"}'):
            with self.subTest(promql):
                self.assertEqual(self.prometheus.query(promql), [])

    def test_prometheus_takes_every_sample(self):
        self.prometheus.wait('up{job="sonde"} == 1')
        self.assertNotRegex(self.prometheus.process.log, r"(?i)out of order|duplicate sample|error on ingesting")

    def test_phases_add_up_to_the_round_trip(self):
        """Of one and the same page, since the next check changes both."""
        page = {}
        for line in self.sonde.page().splitlines():
            if 'target="shop"' in line:
                name, value = line.rsplit(" ", 1)
                page[name] = float(value)
        phases = sum(value for name, value in page.items() if name.startswith("probe_http_duration_seconds"))
        duration = next(value for name, value in page.items() if name.startswith("probe_duration_seconds"))
        self.assertGreater(phases, 0)
        self.assertLessEqual(phases, duration + 1e-6)

    def test_promtool_has_nothing_to_say(self):
        done = subprocess.run(["promtool", "check", "metrics"], input=self.sonde.page(), capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_openmetrics_is_read_by_a_strict_parser(self):
        answer = self.sonde.get("/metrics", Accept=OPENMETRICS)
        self.assertTrue(answer.headers["Content-Type"].startswith("application/openmetrics-text"))
        self.assertTrue(answer.text.endswith("# EOF\n"))
        families = {family.name: family for family in parse_openmetrics(answer.text)}
        self.assertEqual(families["probe_rtt"].type if "probe_rtt" in families else families["probe_rtt_seconds"].type,
                         "histogram")
        self.assertEqual(families["probe_checks"].type, "counter")

    def test_both_formats_have_the_same_series(self):
        def names(text):
            return {line.rsplit(" ", 1)[0].split("{")[0] + "{" + line.rsplit(" ", 1)[0].partition("{")[2]
                    for line in text.splitlines() if line.startswith("probe_") and 'target="shop"' in line}

        text = names(self.sonde.page())
        openmetrics = names(self.sonde.get("/metrics", Accept=OPENMETRICS).text)
        self.assertEqual({name for name in openmetrics if "_created" not in name}, text)

    def test_gzip(self):
        answer = self.sonde.get("/metrics", Accept_Encoding="gzip")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertIn("probe_success{", gzip.decompress(answer.body).decode())

    def test_zstd(self):
        answer = self.sonde.get("/metrics", Accept_Encoding="zstd")
        self.assertEqual(answer.headers["Content-Encoding"], "zstd")
        done = subprocess.run(["zstd", "-dc"], input=answer.body, capture_output=True, timeout=PATIENCE, check=True)
        self.assertIn(b"probe_success{", done.stdout)

    def test_head(self):
        answer = request(self.sonde.url("/metrics"), method="HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertIn("text/plain", answer.headers["Content-Type"])

    def test_landing_page_and_target_list(self):
        page = self.sonde.get("/")
        self.assertEqual(page.status, 200)
        self.assertNotRegex(page.text, r"""(?i)(?:src|href)\s*=\s*["']?(?:https?:)?//""", "assets of others")
        targets = wait_for("result of shop", lambda: self.sonde.targets() if self.sonde.targets()["shop"]["status"]
                           else None)
        self.assertEqual((targets["shop"]["state"], targets["shop"]["status"]), ("up", 200))
        self.assertEqual((targets["missing"]["state"], targets["missing"]["reason"]), ("down", "unexpected_status"))

    def test_every_panel_of_the_dashboards(self):
        script = ROOT / "tests/grafana/check_panels.py"
        # Rates over the last ten seconds need that many.
        self.prometheus.wait('count_over_time(probe_success{target="shop"}[1m]) >= 10')
        done = subprocess.run([sys.executable, str(script), self.prometheus.url, "--range", "30", "--rate-interval", "10",
                               "--wait", "40"], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class LeanSet(unittest.TestCase):
    """What the default set costs: at most 45 series for an HTTPS target without patterns."""

    def test_an_https_target_has_at_most_45_series(self):
        stack = Stack()
        self.addCleanup(stack.close)
        sonde = stack.sonde(f"""
[[target]]
name = "shop"
url = "{stack.nginx.url('good', host='localhost')}"
interval = "1s"
tls = {{ ca_file = "{stack.certificates.ca}" }}
""").start()
        wait_for("second check", lambda: sonde.value("probe_checks_total", target="shop", result="success") >= 2)
        series = [line for line in sonde.page().splitlines() if line.startswith("probe_") and 'target="shop"' in line]
        self.assertLessEqual(len(series), 45, "\n".join(series))
        self.assertEqual(sum(line.startswith("probe_rtt_seconds") for line in series), 14)
        self.assertFalse(any(line.startswith("probe_tls_cipher_info") for line in series), "an extra family by default")

"""A check that Sonde and blackbox_exporter both do, and how their metrics are compared."""

import json

COMPARED = [
    "probe_success", "probe_http_status_code", "probe_http_version", "probe_http_redirects",
    "probe_http_content_length", "probe_http_uncompressed_body_length", "probe_http_ssl",
    "probe_http_last_modified_timestamp_seconds",
    "probe_ip_protocol", "probe_ip_addr_hash", "probe_failed_due_to_regex", "probe_ssl_earliest_cert_expiry",
    "probe_ssl_last_chain_expiry_timestamp_seconds",
    *(f"probe_ssl_last_chain_info {label}"
      for label in ("fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber")),
    "probe_tls_version_info version",
]
ANY = "any value"


class Differs:
    """Why one metric differs, and what both say of it; None is no series."""

    def __init__(self, why, sonde=ANY, upstream=ANY):
        self.why = why
        self.sonde = sonde
        self.upstream = upstream

    def covers(self, sonde, upstream):
        # Nothing at all is never just any value.
        return all(said == known or (known is ANY and said is not None)
                   for known, said in ((self.sonde, sonde), (self.upstream, upstream)))


WITHOUT_PATTERNS = Differs("Sonde exports nothing for targets without patterns, upstream always 0", None, 0)


class Case:
    """`http`: of the blackbox module; `settings`: of the Sonde target that says the same; `known`: explanations, each
    {metric: Differs}, of which the first that has a metric counts."""

    def __init__(self, name, url, http=None, settings=None, known=(), timeout="4s"):
        self.name = name
        self.url = url
        self.timeout = timeout
        self.http = {"preferred_ip_protocol": "ip4", **(http or {})}
        self.settings = {"ip_protocol": "ip4", **(settings or {})}
        fields = self.settings.get("expect_headers", [])
        has_patterns = "regex" in self.settings or any("pattern" in field for field in fields)
        self.differs = {} if has_patterns else {"probe_failed_due_to_regex": WITHOUT_PATTERNS}
        for explained in reversed(known):
            self.differs.update(explained)

    def module(self):
        return {"prober": "http", "timeout": self.timeout, "http": self.http}

    def target(self):
        keys = {"name": self.name, "url": self.url, "timeout": self.timeout, **self.settings}
        return "[[target]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in keys.items())


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)  # strings, numbers and booleans are written alike


def facts(samples):
    """{metric: its value, metric and label: the label's} of (name, labels, value)."""
    found = {}
    for name, labels, value in samples:
        told = {f"{name} {label}": text for label, text in labels.items() if label != "target"}
        for fact, said in (told or {name: value}).items():
            if fact in COMPARED:
                assert fact not in found, f"{fact} twice"
                found[fact] = said
    return found


def complaints(case, sonde, upstream):
    """What is not as the case says: differences without an explanation, and explanations of what is otherwise."""
    for metric in COMPARED:
        ours, theirs = sonde.get(metric), upstream.get(metric)
        reason = case.differs.get(metric)
        if reason is None and ours != theirs:
            yield f"{metric}: Sonde {ours}, blackbox_exporter {theirs}, and no explanation"
        elif reason and ours == theirs:
            yield f"{metric}: both {ours}, so this explains nothing any more: {reason.why}"
        elif reason and not reason.covers(ours, theirs):
            yield (f"{metric}: Sonde {ours} and blackbox_exporter {theirs} instead of {reason.sonde} and "
                   f"{reason.upstream}: {reason.why}")

"""A certificate authority made by the openssl command: good, expired, misnamed and untrusted servers."""

import datetime
import pathlib
import subprocess

GOOD_NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr}")


def moment(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Authority:
    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        self.pem = self.directory / "ca.pem"
        self.key = self.directory / "ca.key"
        self.config = self.directory / "ca.cnf"
        (self.directory / "index").touch()
        self.config.write_text(f"""
[ca]
default_ca = test
[test]
database = {self.directory}/index
new_certs_dir = {self.directory}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
""")
        openssl("req", "-x509", *self.new_key(self.key), "-subj", f"/CN={name}", "-days", 30, "-out", self.pem,
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    @staticmethod
    def new_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path

    def issue(self, name, names=GOOD_NAMES, first_day=-2, last_day=20):
        """Writes NAME.pem and NAME.key and returns the path without its suffix."""
        base = self.directory / name
        openssl("req", *self.new_key(f"{base}.key"), "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}",
                "-out", f"{base}.csr")
        openssl("ca", "-config", self.config, "-batch", "-notext", "-cert", self.pem, "-keyfile", self.key, "-in",
                f"{base}.csr", "-out", f"{base}.pem", "-startdate", moment(first_day), "-enddate", moment(last_day))
        return base


    def staple(self, base):
        """Writes BASE.ocsp, a response that says what the index knows of the certificate, and returns its path."""
        request = f"{base}.ocsp-request"
        openssl("ocsp", "-issuer", self.pem, "-cert", f"{base}.pem", "-no_nonce", "-reqout", request)
        openssl("ocsp", "-index", self.directory / "index", "-CA", self.pem, "-rsigner", self.pem, "-rkey", self.key,
                "-reqin", request, "-respout", f"{base}.ocsp", "-ndays", 2)
        return f"{base}.ocsp"


class Certificates:
    """Those of the test nginx: base paths without .pem and .key, and the CA that a client must trust."""

    def __init__(self, directory):
        trusted = Authority(pathlib.Path(directory) / "trusted", "sonde e2e root")
        stranger = Authority(pathlib.Path(directory) / "stranger", "somebody else")
        self.ca = trusted.pem
        self.good = trusted.issue("good")
        self.staples = {"good": trusted.staple(self.good)}
        self.expired = trusted.issue("expired", first_day=-20, last_day=-1)
        self.misnamed = trusted.issue("misnamed", names="DNS:elsewhere.invalid")
        self.untrusted = stranger.issue("untrusted")

    def bundle(self, name):
        """Certificate and key in one file, as haproxy wants them."""
        base = getattr(self, name)
        path = base.with_suffix(".bundle")
        path.write_bytes(base.with_suffix(".pem").read_bytes() + base.with_suffix(".key").read_bytes())
        return path

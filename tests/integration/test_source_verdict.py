"""Random sets: "check" calls a set good exactly if a real server with REQUIRE X509 takes it.

Usages, strength, constraints and times, at OpenSSL's security level 2, and with MariaDB at level 1,
for which minimum-rsa-bits stands. PATH_SETS and PATH_SEED in the environment replace the
number of sets and the seed; with MySQL it is a third of the sets.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.standin import Authority
from tests.standin.server import Server

BOTH_MAKES = True

SETS = int(os.environ.get("PATH_SETS", "60"))
SEED = int(os.environ.get("PATH_SEED", "1"))
USER = "replica"

# Refused on purpose (doc/design.md, "Rules"), whatever a source says.
STRICTER = {"cert-is-ca", "ca-not-a-ca", "key-type", "same-common-name"}

KEYS = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "short": ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
        "ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "weak-ec": ["EC", "-pkeyopt", "ec_paramgen_curve:prime192v1"]}
CA_USAGES = ["critical,keyCertSign,cRLSign"] * 6 + ["critical,digitalSignature,keyCertSign", ""]
CA_EXTENDED = [""] * 7 + ["serverAuth", "clientAuth", "serverAuth,clientAuth",
                          "anyExtendedKeyUsage"]
CA_LIMITS = ["CA:TRUE"] * 6 + ["CA:TRUE,pathlen:0", "CA:TRUE,pathlen:1"]
USAGES = ["digitalSignature,keyEncipherment"] * 5 + [
    "digitalSignature", "keyEncipherment", "keyAgreement", "nonRepudiation", ""]
EXTENDED = ["clientAuth"] * 4 + ["", "serverAuth", "anyExtendedKeyUsage", "emailProtection",
                                 "clientAuth,serverAuth", "anyExtendedKeyUsage,clientAuth"]
NETSCAPE = [""] * 12 + ["client", "server", "sslCA"]
CONSTRAINTS = [""] * 8 + ["critical,permitted;DNS:example.com", "critical,excluded;DNS:example.com",
                          "critical,permitted;IP:10.0.0.0/255.0.0.0"]
# Validities in days from now, of a CA and of a client certificate; None: valid, without a detour.
TIMES: list[tuple[float, float] | None] = [None] * 16 + [(-2, -1), (1, 2), (-2, 1 / 24)]
DIGESTS = [["-sha256"]] * 8 + [
    ["-sha1"], ["-sha384"], ["-sha512"], ["-sha224"], ["-sha256", "-sigopt", "rsa_padding_mode:pss"],
    ["-sha1", "-sigopt", "rsa_padding_mode:pss"]]


class Certificate(NamedTuple):
    path: Path
    key: Path


LEVEL = """openssl_conf = all
[all]
ssl_conf = tls
[tls]
system_default = level
[level]
CipherString = DEFAULT@SECLEVEL={}
"""

CHECK = """[material default]
directory = {}
minimum-rsa-bits = {}
[cluster any]
host = localhost
user = nobody
password-file = /nowhere
"""

AUTHORITY = """[ca]
default_ca = by_time
[by_time]
database = {directory}/database
new_certs_dir = {directory}
rand_serial = yes
unique_subject = no
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
"""


class Maker:
    """Issues certificates with any combination of extensions and times."""

    def __init__(self, directory: Path, rng: random.Random, level: int) -> None:
        self.directory, self.rng, self.issued, self.calm = directory, rng, 0, 0.0
        self.weak = 4 if level == 1 else 1  # how many of the keys are weak
        self.configuration = directory / "openssl.cnf"
        self.configuration.write_text("[req]\ndistinguished_name = name\n[name]\n")
        self.keys = {(kind, use): self._key(kind, use) for kind in KEYS
                     for use in ("root", "middle", "lower", "other", "leaf")}

    def choose(self, options: list) -> Any:
        """One of the options; the calmer the set, the likelier the first, which has no fault."""
        return options[0] if self.rng.random() < self.calm else self.rng.choice(options)

    def _key(self, kind: str, use: str) -> Path:
        path = self.directory / f"{kind}-{use}.key"
        run("openssl", "genpkey", "-algorithm", *KEYS[kind], "-out", path)
        return path

    def issue(self, use: str, kind: str, issuer: Certificate | None,
              extensions: list[str]) -> Certificate:
        self.issued += 1
        key, path = self.keys[kind, use], self.directory / f"{self.issued}.pem"
        digest = self.choose(DIGESTS)
        if "ec" in (issuer.key if issuer else key).name:
            digest = digest[:1]
        command = ["openssl", "req", "-x509", "-config", self.configuration, "-key", key, *digest,
                   "-subj", f"/CN={use}-{self.issued}", "-days", "30", "-out", path]
        if issuer:
            command += ["-CA", issuer.path, "-CAkey", issuer.key]
        extensions = [one for one in extensions if one.partition("=")[2]]
        for extension in extensions:
            command += ["-addext", extension]
        run(*command)
        times = self.choose(TIMES)
        if times:
            self._set_time(Certificate(path, key), issuer, digest, extensions, times)
        return Certificate(path, key)

    def _set_time(self, made: Certificate, issuer: Certificate | None, digest: list[str],
                  extensions: list[str], days: tuple[float, float]) -> None:
        """Issues it again: only openssl ca can set notBefore, and with OpenSSL 3.0 an end."""
        (self.directory / "database").write_text("")
        section, request = self.directory / "authority.cnf", self.directory / "request.csr"
        section.write_text(AUTHORITY.format(directory=self.directory) + "\n".join(extensions))
        run("openssl", "x509", "-x509toreq", "-in", made.path, "-signkey", made.key, "-out", request)
        begin, end = ((datetime.now(UTC) + timedelta(days=day)).strftime("%Y%m%d%H%M%SZ")
                      for day in days)
        issuer = issuer or made
        run("openssl", "ca", "-batch", "-notext", "-config", section, "-in", request, "-cert",
            issuer.path, "-keyfile", issuer.key, "-md", digest[0].removeprefix("-"), *digest[1:],
            "-startdate", begin, "-enddate", end, "-out", made.path)

    def issue_ca(self, use: str, issuer: Certificate | None) -> Certificate:
        choose = self.choose
        kind = choose(["rsa"] * 14 + ["ec", "ec"] + ["short", "weak-ec"] * self.weak)
        return self.issue(use, kind, issuer, [
            f"basicConstraints=critical,{choose(CA_LIMITS)}", f"keyUsage={choose(CA_USAGES)}",
            f"extendedKeyUsage={choose(CA_EXTENDED)}", f"nameConstraints={choose(CONSTRAINTS)}"])

    def issue_leaf(self, issuer: Certificate) -> Certificate:
        choose = self.choose
        kind = choose(["rsa"] * 16 + ["short"] * self.weak)
        return self.issue("leaf", kind, issuer, [
            "basicConstraints=CA:FALSE", f"keyUsage={choose(USAGES)}",
            f"extendedKeyUsage={choose(EXTENDED)}", f"nsCertType={choose(NETSCAPE)}",
            "subjectAltName=" + choose(["", "DNS:a.example.com", "DNS:a.example.net"])])

    def write(self, directory: Path) -> Certificate:
        """Writes a set and returns its root."""
        self.calm = self.rng.choice([0.0, 0.7, 0.9])
        root = above = self.issue_ca("root", None)
        middle: list[Certificate] = []
        for use in ("middle", "lower")[:self.rng.choice([0, 1, 1, 2])]:
            above = self.issue_ca(use, above)
            middle.append(above)
        leaf = self.issue_leaf(above)
        self.rng.shuffle(middle)
        split = self.rng.choice([0, len(middle)])  # in both files: doc/design.md, "Rules"
        chain, authorities = [leaf, *middle[split:]], [root, *middle[:split]]
        if split == 0 and self.rng.random() < 0.2:
            chain.append(root)
        if self.rng.random() < 0.2:  # a CA that the client certificate does not need
            authorities.append(self.issue_ca("other", None))
        self.rng.shuffle(authorities)
        directory.mkdir()
        for name, parts in (("client-cert.pem", [part.path for part in chain]),
                            ("ca.pem", [part.path for part in authorities]),
                            ("client-key.pem", [leaf.key])):
            (directory / name).write_bytes(b"".join(part.read_bytes() for part in parts))
            (directory / name).chmod(0o600)
        return root


def run(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


class RealServer(Server):
    def __init__(self, testbed, level: int) -> None:
        authority = Authority(testbed.workspace.path / f"verdict-ca-{level}")
        super().__init__(testbed.workspace, f"verdict-{level}",
                         ["--ssl-cipher=DEFAULT@SECLEVEL=1"] if level == 1 else [],
                         identity=authority.issue_server(), client_ca=testbed.authority.certificate)
        self.level = level
        self.authority = authority.certificate  # of its own certificate
        self.client_settings = self.private_file("openssl.cnf", LEVEL.format(level).encode())


@pytest.fixture(scope="module", params=[2, 1], ids=["level-2", "level-1"])
def server(testbed, request):
    if request.param == 1 and testbed.aurora.make.name == "mysql":
        pytest.skip("MySQL has no option for the security level of OpenSSL")
    with RealServer(testbed, request.param) as server:
        server.sql(f"CREATE USER {USER}@'%' REQUIRE X509")
        yield server


def takes(server: RealServer, directory: Path, root: Certificate) -> str:
    """Returns "" if the server takes the set, or its error."""
    # MySQL verifies its own certificate with this file as well.
    server.private_file("client-ca.pem", root.path.read_bytes() + server.authority.read_bytes())
    server.sql(server.make.reload_tls)
    trusted = directory / "trusted.pem"  # the client verifies the server as well
    trusted.write_bytes((directory / "ca.pem").read_bytes() + server.authority.read_bytes())
    done = subprocess.run(
        ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={server.port}",
         f"--user={USER}", f"--ssl-ca={trusted}",
         f"--ssl-cert={directory / 'client-cert.pem'}", f"--ssl-key={directory / 'client-key.pem'}",
         "--execute=SELECT 1"], capture_output=True, text=True,
        env={**os.environ, "OPENSSL_CONF": str(server.client_settings)})
    return "" if done.returncode == 0 else done.stderr.strip()


def broken_rules(directory: Path, level: int) -> set[str]:
    """The rules whose violation is an error."""
    build = Path(os.environ.get("BUILD", "build")).resolve()
    (directory / "binlog-ssld.conf").write_text(CHECK.format(directory, 1024 if level == 1 else 2048))
    done = subprocess.run([build / "binlog-ssld", "--check"], capture_output=True, text=True,
                          env={**os.environ, "CONFIGURATION_DIRECTORY": str(directory)})
    rules = set(re.findall(r"^  error: ([a-z-]+): ", done.stdout, re.MULTILINE))
    assert done.returncode == bool(rules), done.stdout + done.stderr
    return rules


def test_a_set_is_good_exactly_if_a_source_takes_it(server, tmp_path):
    maker = Maker(tmp_path, random.Random(SEED), server.level)
    sets = SETS if server.make.name == "mariadb" else SETS // 3
    faults, n_good, n_refused = [], 0, 0
    for i in range(sets):
        directory = tmp_path / f"set-{i}"
        root = maker.write(directory)
        error, broken = takes(server, directory, root), broken_rules(directory, server.level)
        n_good += not error
        n_refused += bool(error)
        if bool(broken) != bool(error) and not (broken and not error and broken <= STRICTER):
            faults.append(f"{directory.name}: check: {broken or 'good'}, source: {error or 'good'}")
    print(f"level {server.level}, seed {SEED}, {sets} sets: {n_good} taken, {n_refused} refused")
    assert not faults, f"seed {SEED}: " + "\n".join(faults)
    assert n_good >= sets // 10 and n_refused >= sets // 10  # both verdicts are compared

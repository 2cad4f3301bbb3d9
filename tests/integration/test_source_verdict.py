"""Random sets: "check" calls a set good exactly if a real server with REQUIRE X509 takes it.

PATH_SETS and PATH_SEED in the environment replace the number of sets and the seed.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.standin import Authority
from tests.standin.server import Server

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
DIGESTS = [["-sha256"]] * 8 + [
    ["-sha1"], ["-sha384"], ["-sha512"], ["-sha224"], ["-sha256", "-sigopt", "rsa_padding_mode:pss"],
    ["-sha1", "-sigopt", "rsa_padding_mode:pss"]]


class Certificate(NamedTuple):
    path: Path
    key: Path


class Maker:
    """Issues certificates with any combination of extensions."""

    def __init__(self, directory: Path, rng: random.Random) -> None:
        self.directory, self.rng, self.issued = directory, rng, 0
        self.configuration = directory / "openssl.cnf"
        self.configuration.write_text("[req]\ndistinguished_name = name\n[name]\n")
        self.keys = {(kind, use): self._key(kind, use) for kind in KEYS
                     for use in ("root", "middle", "lower", "leaf")}

    def _key(self, kind: str, use: str) -> Path:
        path = self.directory / f"{kind}-{use}.key"
        run("openssl", "genpkey", "-algorithm", *KEYS[kind], "-out", path)
        return path

    def issue(self, use: str, kind: str, issuer: Certificate | None,
              extensions: list[str]) -> Certificate:
        self.issued += 1
        key, path = self.keys[kind, use], self.directory / f"{self.issued}.pem"
        digest = self.rng.choice(DIGESTS)
        if "ec" in (issuer.key if issuer else key).name:
            digest = digest[:1]
        command = ["openssl", "req", "-x509", "-config", self.configuration, "-key", key, *digest,
                   "-subj", f"/CN={use}-{self.issued}", "-days", "30", "-out", path]
        if issuer:
            command += ["-CA", issuer.path, "-CAkey", issuer.key]
        for extension in extensions:
            name, _, value = extension.partition("=")
            command += ["-addext", extension] if value else []
        run(*command)
        return Certificate(path, key)

    def issue_ca(self, use: str, issuer: Certificate | None) -> Certificate:
        choose = self.rng.choice
        kind = choose(["rsa"] * 14 + ["ec", "ec", "short", "weak-ec"])
        return self.issue(use, kind, issuer, [
            f"basicConstraints=critical,{choose(CA_LIMITS)}", f"keyUsage={choose(CA_USAGES)}",
            f"extendedKeyUsage={choose(CA_EXTENDED)}", f"nameConstraints={choose(CONSTRAINTS)}"])

    def issue_leaf(self, issuer: Certificate) -> Certificate:
        choose = self.rng.choice
        kind = choose(["rsa"] * 16 + ["short"])
        return self.issue("leaf", kind, issuer, [
            "basicConstraints=CA:FALSE", f"keyUsage={choose(USAGES)}",
            f"extendedKeyUsage={choose(EXTENDED)}", f"nsCertType={choose(NETSCAPE)}",
            "subjectAltName=" + choose(["", "DNS:a.example.com", "DNS:a.example.net"])])

    def write(self, directory: Path) -> Certificate:
        """Writes a set and returns its root."""
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
    authority: Path  # of its own certificate


@pytest.fixture(scope="module")
def server(testbed):
    authority = Authority(testbed.workspace.path / "verdict-ca")
    server = RealServer(testbed.workspace, "verdict", identity=authority.issue_server(),
                        client_ca=testbed.authority.certificate)
    server.authority = authority.certificate
    with server:
        server.sql(f"CREATE USER {USER}@'%' REQUIRE X509")
        yield server


def takes(server: RealServer, directory: Path, root: Certificate) -> str:
    """Returns "" if the server takes the set, or its error."""
    server.private_file("client-ca.pem", root.path.read_bytes())
    server.sql(server.make.reload_tls)
    trusted = directory / "trusted.pem"  # the client verifies the server as well
    trusted.write_bytes((directory / "ca.pem").read_bytes() + server.authority.read_bytes())
    done = subprocess.run(
        ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={server.port}",
         f"--user={USER}", f"--ssl-ca={trusted}",
         f"--ssl-cert={directory / 'client-cert.pem'}", f"--ssl-key={directory / 'client-key.pem'}",
         "--execute=SELECT 1"], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip()


def checks(directory: Path) -> dict:
    ctl = Path(os.environ.get("BUILD", "build")).resolve() / "binlog-sslctl"
    done = subprocess.run([ctl, "--json", "check", directory], capture_output=True, text=True)
    return json.loads(done.stdout)


def test_a_set_is_good_exactly_if_a_source_takes_it(server, tmp_path):
    maker = Maker(tmp_path, random.Random(SEED))
    faults, n_good, n_refused = [], 0, 0
    for i in range(SETS):
        directory = tmp_path / f"set-{i}"
        root = maker.write(directory)
        error, check = takes(server, directory, root), checks(directory)
        broken = {rule["rule"] for rule in check["rules"] if rule["verdict"] == "broken"}
        n_good += not error
        n_refused += bool(error)
        if check["good"] == bool(error) and not (broken and not error and broken <= STRICTER):
            faults.append(f"{directory.name}: check: {broken or 'good'}, source: {error or 'good'}")
    print(f"seed {SEED}, {SETS} sets: {n_good} taken, {n_refused} refused")
    assert not faults, f"seed {SEED}: " + "\n".join(faults)
    assert n_good >= SETS // 10 and n_refused >= SETS // 10  # both verdicts are compared

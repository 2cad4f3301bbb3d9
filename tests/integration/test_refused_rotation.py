"""A rotation to a set that the source would refuse: it is not imported, and replication runs on."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.conftest import configuration
from tests.standin import Authority, write_material
from tests.standin.client import Client, SqlError
from tests.standin.pki import Pair, key_as
from tests.standin.source import REPLICATION_PASSWORD, REPLICATION_USER

BOTH_MAKES = True

SUBJECT = "/CN=refused-rotation"
PERMITTED = "nameConstraints=critical,permitted;DNS:example.com"
_rows = itertools.count(7000)


class MaterialSet(NamedTuple):
    pair: Pair
    in_cert: list[Path] = []
    in_ca: list[Path] = []

    def write(self, directory: Path, root: Path) -> None:
        directory.mkdir(exist_ok=True)
        for name, content in (("ca.pem", joined(root, *self.in_ca)),
                              ("client-cert.pem", joined(self.pair.certificate, *self.in_cert)),
                              ("client-key.pem", key_as(self.pair.key, b"-----BEGIN PRIVATE"))):
            (directory / name).write_bytes(content)
            (directory / name).chmod(0o600)


class Maker:
    """Sets below the CA that the source trusts, with the subject that it requires."""

    def __init__(self, root: Authority, directory: Path) -> None:
        self.root, self.directory = root, directory

    def leaf(self, issuer: Authority | None = None, **more) -> Pair:
        return (issuer or self.root).issue_client(subject=SUBJECT, **more)

    def authority(self, name: str, issuer: Authority | None = None, **more) -> Authority:
        return Authority(self.directory / name, f"The {name} CA", issuer=issuer or self.root, **more)

    def short_key(self) -> Path:
        path = self.directory / "short.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                        "rsa_keygen_bits:1024", "-out", path], check=True, capture_output=True)
        return path

    def below(self, in_ca: bool = False, leaf: tuple[str, ...] = (),
              **more) -> MaterialSet:
        """One intermediate CA, in either file."""
        authority = self.authority("intermediate", **more)
        path = [authority.certificate]
        return MaterialSet(self.leaf(authority, extensions=leaf), [] if in_ca else path,
                           path if in_ca else [])

    def below_two(self) -> MaterialSet:
        upper = self.authority("upper", extensions=["basicConstraints=critical,CA:TRUE,pathlen:0"])
        lower = self.authority("lower", issuer=upper)
        return MaterialSet(self.leaf(lower), [lower.certificate, upper.certificate])


REFUSED: dict[str, tuple[str, Callable[[Maker], MaterialSet]]] = {
    "key-encipherment": ("cert-usage", lambda maker: MaterialSet(
        maker.leaf(extensions=["keyUsage=keyEncipherment"]))),
    "any-usage": ("cert-usage", lambda maker: MaterialSet(maker.leaf(usage="anyExtendedKeyUsage"))),
    "server-ca-in-cert": ("cert-usage", lambda maker: maker.below(
        extensions=["extendedKeyUsage=serverAuth"])),
    "server-ca-in-ca": ("cert-usage", lambda maker: maker.below(
        in_ca=True, extensions=["extendedKeyUsage=serverAuth"])),
    "short-ca": ("key-bits", lambda maker: maker.below(key=maker.short_key())),
    "sha1-ca-in-cert": ("cert-signature", lambda maker: maker.below(digest="sha1")),
    "sha1-ca-in-ca": ("cert-signature", lambda maker: maker.below(in_ca=True, digest="sha1")),
    "name-constraint": ("ca-constraint", lambda maker: maker.below(
        extensions=[PERMITTED], leaf=("subjectAltName=DNS:replica.example.net",))),
    "path-length": ("ca-constraint", lambda maker: maker.below_two()),
}


def joined(*parts: Path) -> bytes:
    return b"".join(part.read_bytes() for part in parts)


def source_takes(testbed, directory: Path) -> bool:
    """Asks the source itself, as the replica would."""
    client = Client.over_tcp(testbed.source.port, REPLICATION_USER, REPLICATION_PASSWORD,
                             ca=testbed.authority.certificate)
    login = Client([*client.arguments, f"--ssl-cert={directory / 'client-cert.pem'}",
                    f"--ssl-key={directory / 'client-key.pem'}",
                    f"--ssl-ca={directory / 'ca.pem'}"], client.password)
    try:
        login.sql("DO 0")
    except SqlError:
        return False
    return True


def replicates(testbed) -> None:
    """A row of now comes over a connection that both threads keep."""
    number = next(_rows)
    testbed.source.sql(f"INSERT INTO app.t VALUES ({number}, 'row')")
    assert testbed.aurora.wait_for_row(number) == "row"
    testbed.aurora.wait_for_replication(lambda status: (
        status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("Yes", "Yes"))


@pytest.fixture
def replicating(testbed, service):
    testbed.source.require_subject(SUBJECT)
    service.configure(configuration(service, testbed.aurora, cluster="replication = restart"))
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("", subject=SUBJECT))
    testbed.aurora.start_replication()
    service.start()
    assert service.wait_cluster("orders", "current")["in_use"] is True
    replicates(testbed)
    return service


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_set_is_not_imported_and_replication_runs_on(testbed, replicating, tmp_path,
                                                               kind):
    rule, make = REFUSED[kind]
    refused = make(Maker(testbed.authority, tmp_path))
    before, history = len(testbed.aurora.imports()), testbed.aurora.history()
    had = replicating.cluster("orders")["imported_fingerprint"]
    refused.write(tmp_path / "set", testbed.authority.certificate)
    assert source_takes(testbed, replicating.material)
    assert not source_takes(testbed, tmp_path / "set")

    refused.write(replicating.material, testbed.authority.certificate)
    material = replicating.wait_material("invalid")
    assert {problem["rule"] for problem in material["problems"]} == {rule}
    cluster = replicating.cluster("orders")
    assert (cluster["state"], cluster["imported_fingerprint"]) == ("waiting", had)
    status = replicating.ctl("status")
    assert status.returncode == 2 and rule in replicating.ctl("explain").stdout
    assert material["problems"][0]["text"] in " ".join(status.stdout.split())

    testbed.source.end_dumps()  # a new connection, with what the cluster has
    replicates(testbed)
    assert (len(testbed.aurora.imports()), testbed.aurora.history()) == (before, history)


def test_a_renewed_set_behind_an_expired_root_that_rides_along_is_imported(testbed, replicating,
                                                                           tmp_path):
    """As of September 2021: the root, signed by an older one that has expired as well."""
    old = Authority(tmp_path / "old", "An old root", valid=(-7200, -3600))
    cross = tmp_path / "cross.pem"
    subprocess.run(["openssl", "req", "-x509", "-config", old.directory / "openssl.cnf", "-key",
                    testbed.authority.key, "-subj", testbed.authority.subject, "-CA",
                    old.certificate, "-CAkey", old.key, "-addext",
                    "basicConstraints=critical,CA:TRUE", "-out", cross],
                   check=True, capture_output=True)
    renewed = MaterialSet(Maker(testbed.authority, tmp_path).leaf(), [cross, old.certificate])
    before = len(testbed.aurora.imports())
    renewed.write(replicating.material, testbed.authority.certificate)
    replicating.wait(lambda: len(testbed.aurora.imports()) == before + 1)
    assert replicating.wait_cluster("orders", "current")["in_use"] is True
    problems = replicating.status()["materials"][0]["problems"]
    assert {(problem["rule"], problem["severity"]) for problem in problems} == {
        ("ca-expired", "warning")}
    replicates(testbed)

"""The same set in the forms the world writes it in: what arrives is always the normalised one.

LF only, the blocks only, the leaf first, an RSA key as PKCS#1; and an OpenSSL can use it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import Authority
from tests.standin.pki import PKCS1, PKCS8, Pair, key_as

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Files:
    """The contents of the three files."""

    ca: bytes
    cert: bytes
    key: bytes

    def each(self, change: Callable[[bytes], bytes]) -> Files:
        return Files(change(self.ca), change(self.cert), change(self.key))

    def write(self, directory: Path) -> None:
        for name, content in (("ca.pem", self.ca), ("client-cert.pem", self.cert),
                              ("client-key.pem", self.key)):
            (directory / name).write_bytes(content)
            (directory / name).chmod(0o600)


class Family:
    """A root, an authority below it, another root, and a client of each of the first two."""

    def __init__(self, house) -> None:
        directory = house.workspace.path / "family"
        self.root = house.authority
        self.below = Authority(directory / "below", "Stand-in CA 2", issuer=self.root)
        self.other = Authority(directory / "other", "Another CA")
        self.pair = self.root.issue_client("form")
        self.grandchild = self.below.issue_client("grandchild")

    @staticmethod
    def read(*parts: Path) -> bytes:
        return b"".join(part.read_bytes() for part in parts)

    def plain(self, *, pair: Pair | None = None) -> Files:
        pair = pair or self.pair
        return Files(self.read(self.root.certificate), self.read(pair.certificate),
                     key_as(pair.key, PKCS1))

    def long(self) -> Files:
        """A chain of two below two authorities."""
        return Files(self.read(self.root.certificate, self.other.certificate),
                     self.read(self.grandchild.certificate, self.below.certificate),
                     key_as(self.grandchild.key, PKCS1))


def crlf(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def bom(content: bytes) -> bytes:
    return BOM + content


def text_around(content: bytes) -> bytes:
    """As openssl s_client and renewal tools leave it, and no line end after the last line."""
    begin, end = b"-----BEGIN", b"-----END"
    content = content.replace(begin, b"subject=CN = form\nissuer=\xc3\xa4 \"quoted\" \\n\n" + begin)
    assert end in content
    return content + b"# the end"


def pkcs8(files: Files, key: Path) -> Files:
    return replace(files, key=key_as(key, PKCS8))


FORMS: dict[str, Callable[[Family], tuple[Files, Files]]] = {
    "pkcs1": lambda family: (family.plain(), family.plain()),
    "pkcs8": lambda family: (pkcs8(family.plain(), family.pair.key), family.plain()),
    "crlf": lambda family: (family.plain().each(crlf), family.plain()),
    "bom": lambda family: (family.plain().each(bom), family.plain()),
    "text": lambda family: (family.plain().each(text_around), family.plain()),
    "chain-and-two-cas": lambda family: (family.long(), family.long()),
    "leaf-last": lambda family: (
        replace(family.long(),
                cert=family.read(family.below.certificate, family.grandchild.certificate)),
        family.long()),
    "all-of-it": lambda family: (
        pkcs8(family.long(), family.grandchild.key).each(text_around).each(crlf).each(bom),
        family.long()),
}


@pytest.fixture(scope="module")
def family(house) -> Family:
    return Family(house)


def arrived(aurora) -> Files:
    """What the newest import has left on the server's disk."""
    newest = aurora.imports()[-1]
    ca, cert, key = ((aurora.datadir / "sslreplication" / f"{newest['id']}-{part}.pem.BAK")
                     .read_bytes() for part in ("ca", "cert", "key"))
    assert (newest["ssl_ca"], newest["ssl_cert"]) == (ca.decode(), cert.decode())
    return Files(ca, cert, key)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("newlines", ["raw", "escaped"])
def test_what_arrives_is_normalised(house, service, family, form, newlines):
    on_disk, wanted = FORMS[form](family)
    on_disk.write(service.material)
    service.configure(configuration(service, house.aurora,
                                    cluster=f"payload-newlines = {newlines}"))
    before = len(house.aurora.imports())
    service.start()
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1
    assert house.aurora.imports()[-1]["newlines"] == newlines
    assert arrived(house.aurora) == wanted
    assert b"\r" not in wanted.key + wanted.cert + wanted.ca  # or equality would prove little


def test_another_form_of_the_same_set_is_no_new_set(house, service, family):
    family.long().write(service.material)
    service.configure(configuration(service, house.aurora))
    service.start()
    service.wait_cluster("orders", "current")
    before = len(house.aurora.imports())
    for form in ("leaf-last", "all-of-it"):
        seen = service.status()["materials"][0]["last_change"]
        FORMS[form](family)[0].write(service.material)
        service.wait(lambda: service.status()["materials"][0]["last_change"] != seen)
        service.wait_material("valid")
    assert service.cluster("orders")["state"] == "current"
    assert len(house.aurora.imports()) == before


def test_the_servers_own_openssl_can_use_it(house, service, family):
    """The hardest of the forms, and replication that demands its subject."""
    house.source.demand(family.grandchild.subject)
    FORMS["all-of-it"](family)[0].write(service.material)
    service.configure(configuration(service, house.aurora, cluster="replication = restart"))
    service.start()
    assert service.wait_cluster("orders", "current")["in_use"] is True
    house.source.sql("INSERT INTO app.t VALUES (301, 'through a chain')")
    assert house.aurora.wait_for_row(301) == "through a chain"


@pytest.fixture(scope="module")
def elliptic(family) -> Files:
    key = family.root.directory / "elliptic-key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
    pair = family.root.issue_client("elliptic", key=key)
    return replace(family.plain(pair=family.pair), cert=pair.certificate.read_bytes(),
                   key=key.read_bytes())


def test_an_elliptic_key_is_refused_unless_it_is_allowed(house, service, elliptic):
    before = int(house.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1] or 0)
    elliptic.write(service.material)
    service.configure(configuration(service, house.aurora))
    service.start()
    material = service.wait_material("invalid")
    assert [problem["rule"] for problem in material["problems"]] == ["key-type"]
    assert service.cluster("orders")["state"] == "waiting"
    after = int(house.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1] or 0)
    assert after == before + 1  # the second question's own


def test_an_elliptic_key_that_is_allowed_is_sent_and_the_server_judges(house, service, elliptic):
    elliptic.write(service.material)
    service.configure(configuration(service, house.aurora, material="key-types = rsa,ec",
                                    daemon="retry-held = 1h"))
    before = len(house.aurora.imports())
    service.start()
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", 1644)
    assert "ssl_key must be an RSA PRIVATE KEY." in cluster["reason"]
    assert len(house.aurora.imports()) == before
    house.aurora.set_option("key_like", "-----BEGIN EC PRIVATE KEY-----")
    assert service.ctl("import", "--wait").returncode == 0
    assert b"BEGIN EC PRIVATE KEY" in arrived(house.aurora).key

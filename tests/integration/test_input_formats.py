"""Input formats of a certificate set: the cluster always receives the normalised form.

LF line ends, PEM blocks without text, the leaf first, an RSA key as PKCS#1; OpenSSL can use it.
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


class Certificates:
    """A root CA, an intermediate CA, another root CA, and a client certificate of the first two."""

    def __init__(self, testbed) -> None:
        directory = testbed.workspace.path / "certificates"
        self.root = testbed.authority
        self.below = Authority(directory / "below", "Stand-in CA 2", issuer=self.root)
        self.other = Authority(directory / "other", "Another CA")
        self.pair = self.root.issue_client("form")
        self.below_pair = self.below.issue_client("below")
        self.expired = self.root.issue_client("form", key=self.pair.key, valid=(-7200, -3600))

    @staticmethod
    def read(*parts: Path) -> bytes:
        return b"".join(part.read_bytes() for part in parts)

    def plain(self, *, pair: Pair | None = None) -> Files:
        pair = pair or self.pair
        return Files(self.read(self.root.certificate), self.read(pair.certificate),
                     key_as(pair.key, PKCS1))

    def long(self) -> Files:
        """A leaf with its intermediate CA, and two root CAs."""
        return Files(self.read(self.root.certificate, self.other.certificate),
                     self.read(self.below_pair.certificate, self.below.certificate),
                     key_as(self.below_pair.key, PKCS1))


def crlf(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def bom(content: bytes) -> bytes:
    return BOM + content


def text_around(content: bytes) -> bytes:
    """Text around the block, as openssl s_client writes it, and no line end at the end."""
    begin, end = b"-----BEGIN", b"-----END"
    content = content.replace(begin, b"subject=CN = form\nissuer=\xc3\xa4 \"quoted\" \\n\n" + begin)
    assert end in content
    return content + b"# the end"


def pkcs8(files: Files, key: Path) -> Files:
    return replace(files, key=key_as(key, PKCS8))


FORMS: dict[str, Callable[[Certificates], tuple[Files, Files]]] = {
    "pkcs1": lambda certificates: (certificates.plain(), certificates.plain()),
    "pkcs8": lambda certificates: (pkcs8(certificates.plain(), certificates.pair.key),
                                   certificates.plain()),
    "crlf": lambda certificates: (certificates.plain().each(crlf), certificates.plain()),
    "bom": lambda certificates: (certificates.plain().each(bom), certificates.plain()),
    "text": lambda certificates: (certificates.plain().each(text_around), certificates.plain()),
    "chain-and-two-cas": lambda certificates: (certificates.long(), certificates.long()),
    "leaf-last": lambda certificates: (
        replace(certificates.long(),
                cert=certificates.read(certificates.below.certificate,
                                       certificates.below_pair.certificate)),
        certificates.long()),
    "expired-first": lambda certificates: (
        replace(certificates.plain(), cert=certificates.read(certificates.expired.certificate,
                                                             certificates.pair.certificate)),
        certificates.plain()),
    "all-combined": lambda certificates: (
        pkcs8(certificates.long(),
              certificates.below_pair.key).each(text_around).each(crlf).each(bom),
        certificates.long()),
}


@pytest.fixture(scope="module")
def certificates(testbed) -> Certificates:
    return Certificates(testbed)


def arrived(aurora) -> Files:
    """Returns the files that the last import wrote on the server."""
    newest = aurora.imports()[-1]
    ca, cert, key = ((aurora.datadir / "sslreplication" / f"{newest['id']}-{part}.pem.BAK")
                     .read_bytes() for part in ("ca", "cert", "key"))
    assert (newest["ssl_ca"], newest["ssl_cert"]) == (ca.decode(), cert.decode())
    return Files(ca, cert, key)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("newlines", ["raw", "escaped"])
def test_the_payload_is_normalised(testbed, service, certificates, form, newlines):
    on_disk, wanted = FORMS[form](certificates)
    on_disk.write(service.material)
    service.configure(configuration(service, testbed.aurora,
                                    cluster=f"payload-newlines = {newlines}"))
    before = len(testbed.aurora.imports())
    service.start()
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1
    assert testbed.aurora.imports()[-1]["newlines"] == newlines
    assert arrived(testbed.aurora) == wanted
    assert b"\r" not in wanted.key + wanted.cert + wanted.ca  # proves normalisation


def test_another_format_of_the_same_set_is_not_imported_again(testbed, service, certificates):
    certificates.long().write(service.material)
    service.configure(configuration(service, testbed.aurora))
    service.start()
    service.wait_cluster("orders", "current")
    before = len(testbed.aurora.imports())
    for form in ("leaf-last", "all-combined"):
        seen = service.status()["materials"][0]["last_change"]
        FORMS[form](certificates)[0].write(service.material)
        service.wait(lambda: service.status()["materials"][0]["last_change"] != seen)
        service.wait_material("valid")
    assert service.cluster("orders")["state"] == "current"
    assert len(testbed.aurora.imports()) == before


def test_replication_works_with_the_normalised_set(testbed, service, certificates):
    """All format differences combined; the source requires the subject of the certificate."""
    testbed.source.require_subject(certificates.below_pair.subject)
    FORMS["all-combined"](certificates)[0].write(service.material)
    service.configure(configuration(service, testbed.aurora, cluster="replication = restart"))
    testbed.aurora.start_replication()
    service.start()
    assert service.wait_cluster("orders", "current")["in_use"] is True
    testbed.source.sql("INSERT INTO app.t VALUES (301, 'through a chain')")
    assert testbed.aurora.wait_for_row(301) == "through a chain"


@pytest.fixture(scope="module")
def ec_files(certificates) -> Files:
    key = certificates.root.directory / "ec-key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
    pair = certificates.root.issue_client("ec", key=key)
    return replace(certificates.plain(pair=certificates.pair), cert=pair.certificate.read_bytes(),
                   key=key.read_bytes())


def test_an_ec_key_is_refused_unless_it_is_allowed(testbed, service, ec_files):
    before = int(testbed.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1] or 0)
    ec_files.write(service.material)
    service.configure(configuration(service, testbed.aurora))
    service.start()
    material = service.wait_material("invalid")
    assert [problem["rule"] for problem in material["problems"]] == ["key-type"]
    assert service.cluster("orders")["state"] == "waiting"
    after = int(testbed.aurora.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1] or 0)
    assert after == before + 1  # the connection of this query


def test_an_allowed_ec_key_is_sent_and_the_server_decides(testbed, service, ec_files):
    ec_files.write(service.material)
    service.configure(configuration(service, testbed.aurora, material="key-types = rsa,ec",
                                    daemon="retry-held = 1h"))
    before = len(testbed.aurora.imports())
    service.start()
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", 1644)
    assert "ssl_key must be an RSA PRIVATE KEY." in cluster["reason"]
    assert len(testbed.aurora.imports()) == before
    testbed.aurora.set_option("key_like", "-----BEGIN EC PRIVATE KEY-----")
    assert service.ctl("import", "--wait").returncode == 0
    assert b"BEGIN EC PRIVATE KEY" in arrived(testbed.aurora).key

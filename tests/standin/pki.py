"""A certificate authority that uses the openssl command, and the directory of a renewal tool."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from .key_store import write_new_key

# The default openssl.cnf would add unwanted extensions.
CONFIGURATION = "[req]\ndistinguished_name = name\nstring_mask = utf8only\n[name]\n"

CA_CONFIGURATION = """[ca]
default_ca = by_time
[by_time]
database = {database}
new_certs_dir = {directory}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
"""

CA_EXTENSIONS = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
LEAF_EXTENSIONS = ["basicConstraints=CA:FALSE", "keyUsage=digitalSignature,keyEncipherment"]

# RSAPrivateKey, RFC 8017, A.1.2.
RSA_NUMBERS = ("version", "n", "e", "d", "p", "q", "dmp1", "dmq1", "iqmp")

PKCS1 = b"-----BEGIN RSA PRIVATE KEY-----"
PKCS8 = b"-----BEGIN PRIVATE KEY-----"


class Pair(NamedTuple):
    """A certificate, its key, and its subject in the format of REQUIRE SUBJECT."""

    certificate: Path
    key: Path
    subject: str


class Authority:
    def __init__(self, directory: Path, common_name: str = "Stand-in CA", *,
                 key: Path | None = None, days: int = 365,
                 issuer: Authority | None = None, extensions: Sequence[str] = (),
                 digest: str = "sha256", valid: tuple[float, float] | None = None) -> None:
        """A root CA, or an intermediate CA of issuer. valid: as of issue_server(), of a root.

        extensions: as of -addext, in addition to those of a CA, or in place of one of that name.
        """
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self._issued = 0
        self._configuration = directory / "openssl.cnf"
        self._configuration.write_text(CONFIGURATION)
        extensions = _replaced(CA_EXTENSIONS, extensions)
        made = self._make("ca", f"/CN={common_name}", extensions, key, days, issuer, digest)
        self.certificate, self.key, self.subject = made
        if valid is not None:
            self._set_time(made, extensions, *valid)

    def issue_server(self, *names: str, key: Path | None = None, days: int = 365,
                     usage: str = "serverAuth",
                     valid: tuple[float, float] | None = None) -> Pair:
        """Issues a server certificate.

        names: host names and addresses, by default localhost; valid: notBefore and notAfter in
        seconds from now, instead of days.
        """
        names = names or ("localhost", "127.0.0.1")
        alternatives = ",".join(("IP:" if _is_address(name) else "DNS:") + name for name in names)
        extensions = [*LEAF_EXTENSIONS, f"extendedKeyUsage={usage}",
                      f"subjectAltName={alternatives}"]
        pair = self._make("server", f"/CN={names[0]}", extensions, key, days, self)
        if valid is not None:
            self._set_time(pair, extensions, *valid)
        return pair

    def issue_client(self, common_name: str = "", *, subject: str = "", key: Path | None = None,
                     days: int = 365, usage: str = "clientAuth", extensions: Sequence[str] = (),
                     valid: tuple[float, float] | None = None) -> Pair:
        """Issues a client certificate.

        subject: for example /O=Example/CN=one, instead of a common name; extensions: as of a CA;
        valid: notBefore and notAfter in seconds from now, instead of days.
        """
        extensions = _replaced(
            [*LEAF_EXTENSIONS, *([f"extendedKeyUsage={usage}"] if usage else [])], extensions)
        pair = self._make("client", subject or f"/CN={common_name}", extensions, key, days, self)
        if valid is not None:
            self._set_time(pair, extensions, *valid)
        return pair

    def _set_time(self, pair: Pair, extensions: list[str], begin: float, end: float) -> None:
        """Only openssl ca can set notBefore; it needs a database."""
        database = self.directory / "database"
        database.write_text("")
        section = self.directory / "extensions.cnf"
        section.write_text(CA_CONFIGURATION.format(directory=self.directory, database=database)
                           + "\n".join(extensions))
        request = pair.certificate.with_suffix(".csr")
        _openssl("req", "-new", "-config", str(self._configuration), "-key", str(pair.key),
                 "-subj", pair.subject, "-out", str(request))
        now = datetime.now(UTC)
        times = [(now + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%SZ")
                 for seconds in (begin, end)]
        _openssl("ca", "-batch", "-notext", "-config", str(section), "-in", str(request),
                 "-cert", str(self.certificate), "-keyfile", str(self.key), "-preserveDN",
                 "-startdate", times[0], "-enddate", times[1], "-out", str(pair.certificate))

    def _make(self, kind: str, subject: str, extensions: list[str], key: Path | None, days: int,
              issuer: Authority | None, digest: str = "sha256") -> Pair:
        name = f"{kind}-{self._issued}" if issuer is self else kind
        self._issued += 1
        certificate = self.directory / f"{name}.pem"
        command = ["req", "-x509", f"-{digest}", "-config", str(self._configuration),
                   "-subj", subject, "-days", str(days), "-out", str(certificate)]
        if key is None:
            key = self.directory / f"{name}-key.pem"
            write_new_key(key)
        command += ["-key", str(key)]
        if issuer is not None:
            command += ["-CA", str(issuer.certificate), "-CAkey", str(issuer.key)]
        for extension in extensions:
            command += ["-addext", extension]
        _openssl(*command)
        return Pair(certificate, key, subject)


def _replaced(extensions: Sequence[str], others: Sequence[str]) -> list[str]:
    names = {other.partition("=")[0] for other in others}
    return [one for one in extensions if one.partition("=")[0] not in names] + list(others)


def key_as(key: Path, header: bytes) -> bytes:
    """Returns the key as a PEM block with this header, PKCS1 or PKCS8."""
    text = key.read_bytes()
    if text.startswith(header):
        return text
    if header == PKCS1:
        return _openssl("rsa", "-traditional", "-in", str(key))
    return _openssl("pkcs8", "-topk8", "-nocrypt", "-in", str(key))


def damage_key(key: Path, number: str) -> bytes:
    """Returns the RSA key as PKCS1, of the same size, with one bit of one of RSA_NUMBERS changed."""
    der = bytearray(_openssl("rsa", "-traditional", "-outform", "DER", "-in", str(key)))
    at = _der_content(der, 0)[0]
    for _ in RSA_NUMBERS[:RSA_NUMBERS.index(number) + 1]:
        at = _der_content(der, at)[1]
    der[at - 1] ^= 2  # an odd number stays odd
    text = base64.b64encode(der)
    lines = [text[begin:begin + 64] for begin in range(0, len(text), 64)]
    return b"\n".join([PKCS1, *lines, PKCS1.replace(b"BEGIN", b"END"), b""])


def write_material(directory: Path, ca: Path, pair: Pair, *, header: bytes = PKCS8) -> None:
    """Writes a set as a careful renewal tool does: each file by rename, the key last."""
    directory.mkdir(parents=True, exist_ok=True)
    _replace(directory / "ca.pem", ca.read_bytes(), 0o644)
    _replace(directory / "client-cert.pem", pair.certificate.read_bytes(), 0o644)
    _replace(directory / "client-key.pem", key_as(pair.key, header), 0o600)


def _replace(path: Path, content: bytes, mode: int) -> None:
    """The file gets the owner of the directory, so that a daemon of this user can read the key."""
    directory = path.parent.stat()
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
        os.fchown(file.fileno(), directory.st_uid, directory.st_gid)
    os.replace(fresh, path)


def _der_content(der: bytearray, at: int) -> tuple[int, int]:
    """Returns begin and end of the content of the element at this offset."""
    size, begin = der[at + 1], at + 2
    if size & 0x80:
        begin += size & 0x7f
        size = int.from_bytes(der[at + 2:begin], "big")
    return begin, begin + size


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _openssl(*arguments: str) -> bytes:
    done = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout

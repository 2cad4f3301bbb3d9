"""Generations of a certificate set, cheap enough for hundreds of rotations."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.standin import Authority

BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
CA_EXTENSIONS = ["basicConstraints=critical,CA:TRUE"]
LEAF_EXTENSIONS = ["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth"]
CA_SETTINGS = """[ca]
default_ca = one
[one]
database = {root}/index
serial = {root}/serial
new_certs_dir = {root}
default_md = sha256
policy = any
[any]
commonName = supplied
"""
KEYS = 6  # reused in turn, because generating an RSA key takes the most time


@dataclass(frozen=True)
class Generation:
    name: str
    ca: bytes
    cert: bytes
    key: bytes

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.ca, self.cert)


def fingerprint(ca: bytes, cert: bytes) -> str:
    """The SHA-256 of the certificates of a set, without the key. CAs are sorted, short ones first."""
    authorities, chain = (dict.fromkeys(map(base64.b64decode, BLOCK.findall(text)))
                          for text in (ca, cert))
    ordered = sorted(authorities, key=lambda der: (len(der), der))
    return hashlib.sha256(b"".join([b"ca\0", *ordered, b"cert\0", *chain])).hexdigest()


def is_pair(cert: bytes, key: bytes) -> bool:
    return _public_key("x509", "-pubkey", cert) == _public_key("pkey", "-pubout", key)


@lru_cache(maxsize=None)
def _public_key(kind: str, option: str, text: bytes) -> bytes:
    done = subprocess.run(["openssl", kind, option, "-noout"] if kind == "x509" else
                          ["openssl", kind, option], input=text, capture_output=True)
    return done.stdout or b"unreadable " + text


class Pool:
    """Issues new certificates with a few keys; each run gets certificates of its own."""

    def __init__(self, directory: Path, *, renewed: bool = False) -> None:
        """renewed: the authorities are one whose certificate is renewed, with its name and its key;
        what one has signed, each verifies."""
        first = Authority(directory / "ca-0", "CA 0")
        with ThreadPoolExecutor(2) as executor:
            others = executor.map(
                lambda n: Authority(directory / f"ca-{n}", f"CA {0 if renewed else n}",
                                    key=first.key if renewed else None), range(1, KEYS))
        self._authorities = [first, *others]
        self._keys = [authority.issue_client(f"key-{n}").key
                      for n, authority in enumerate(self._authorities)]
        self._count = itertools.count()

    @property
    def authorities(self) -> list[Authority]:
        return self._authorities

    def series(self, fresh: str, length: int) -> list[Generation]:
        """fresh: what each generation renews: "pair", "cert" (same key), "ca" (the bundle gets one
        more CA), or "all" (pair and CA)."""
        n = next(self._count)
        if fresh == "ca":
            first = self._make(n, 0, 0)
            bundles = [b"".join(a.certificate.read_bytes() for a in self._authorities[:k + 1])
                       for k in range(length)]
            return [Generation(f"{first.name}, {k + 1} authorities", bundle, first.cert, first.key)
                    for k, bundle in enumerate(bundles)]
        return [self._make(n, k if fresh == "all" else 0, 0 if fresh == "cert" else k)
                for k in range(length)]

    def chained(self, length: int) -> list[Generation]:
        """One leaf certificate with an intermediate CA; only the intermediate is renewed."""
        root, issuer = self._authorities[:2]
        leaf = self._make(next(self._count), 1, 0)
        return [Generation(f"{leaf.name}, intermediate {n}", root.certificate.read_bytes(),
                           leaf.cert + self._sign(root, "/CN=CA 1", issuer.key, CA_EXTENSIONS),
                           leaf.key) for n in range(length)]

    def change_of_authority(self) -> list[Generation]:
        """Old CA; bundle of both; pair of the new CA; new CA alone; another CA and pair."""
        n = next(self._count)
        old, new, other = (self._make(n, k, k) for k in range(3))
        both = old.ca + new.ca
        return [old, Generation("both trusted", both, old.cert, old.key),
                Generation("new pair", both, new.cert, new.key), new, other]

    def until(self, end: str, begin: str) -> Generation:
        """notAfter and notBefore in the format of openssl ca, YYYYMMDDHHMMSSZ."""
        issuer, key = self._authorities[0], self._keys[0]
        name = f"until-{next(self._count)}"
        with TemporaryDirectory(dir=issuer.directory) as directory:
            root = Path(directory)
            (root / "index").touch()
            (root / "serial").write_text(f"{next(self._count) + 0x1000:04x}")
            (root / "ca.cnf").write_text(CA_SETTINGS.format(root=root))
            request = root / "request"
            _openssl("req", "-new", "-config", issuer.directory / "openssl.cnf", "-key", key,
                     "-subj", f"/CN={name}", "-out", request)
            made = _openssl("ca", "-batch", "-notext", "-config", root / "ca.cnf", "-in", request,
                            "-cert", issuer.certificate, "-keyfile", issuer.key, "-startdate", begin,
                            "-enddate", end)
        return Generation(name, issuer.certificate.read_bytes(), made, key.read_bytes())

    def _make(self, series: int, authority: int, key: int) -> Generation:
        issuer = self._authorities[authority % KEYS]
        name = f"series-{series}-{next(self._count)}"
        key_path = self._keys[(series + key) % KEYS]
        return Generation(name, issuer.certificate.read_bytes(),
                          self._sign(issuer, f"/CN={name}", key_path, LEAF_EXTENSIONS),
                          key_path.read_bytes())

    def _sign(self, issuer: Authority, subject: str, key: Path, extensions: list[str]) -> bytes:
        # Authority.issue_client is not thread-safe: it numbers its files.
        return _openssl("req", "-x509", "-sha256", "-config", issuer.directory / "openssl.cnf",
                        "-subj", subject, "-days", "90", "-key", key,
                        "-CA", issuer.certificate, "-CAkey", issuer.key,
                        *(word for extension in extensions for word in ("-addext", extension)))


def _openssl(*words: str | Path) -> bytes:
    return subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL,
                          capture_output=True, check=True).stdout

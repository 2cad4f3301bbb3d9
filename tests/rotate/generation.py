"""Generations of a set, cheap enough for hundreds of rotations, and the name of each."""

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

from tests.standin import Authority

BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
KEYS = 6  # a new RSA key costs more than everything else; these take turns


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
    """Names a set by its certificates; holds nothing of the key."""
    digest = hashlib.sha256()
    for label, text in ((b"ca\0", ca), (b"cert\0", cert)):
        digest.update(label)
        for block in BLOCK.findall(text):
            digest.update(base64.b64decode(block))
    return digest.hexdigest()


def is_pair(cert: bytes, key: bytes) -> bool:
    return _public_key("x509", "-pubkey", cert) == _public_key("pkey", "-pubout", key)


@lru_cache(maxsize=None)
def _public_key(kind: str, option: str, text: bytes) -> bytes:
    done = subprocess.run(["openssl", kind, option, "-noout"] if kind == "x509" else
                          ["openssl", kind, option], input=text, capture_output=True)
    return done.stdout or b"unreadable " + text


class Pool:
    """Fresh certificates over a few keys; what one run gets, no other run gets."""

    def __init__(self, directory: Path) -> None:
        with ThreadPoolExecutor(2) as executor:
            made = executor.map(lambda n: Authority(directory / f"ca-{n}", f"CA {n}"), range(KEYS))
        self._authorities = list(made)
        self._keys = [authority.issue_client(f"key-{n}").key
                      for n, authority in enumerate(self._authorities)]
        self._count = itertools.count()

    def series(self, fresh: str, length: int) -> list[Generation]:
        """What each generation renews: "pair", "cert" (its key stays), "ca" (the bundle grows), or
        "all" (another authority as well)."""
        n = next(self._count)
        if fresh == "ca":
            first = self._make(n, 0, 0)
            bundles = [b"".join(a.certificate.read_bytes() for a in self._authorities[:k + 1])
                       for k in range(length)]
            return [Generation(f"{first.name}, {k + 1} authorities", bundle, first.cert, first.key)
                    for k, bundle in enumerate(bundles)]
        return [self._make(n, k if fresh == "all" else 0, 0 if fresh == "cert" else k)
                for k in range(length)]

    def _make(self, series: int, authority: int, key: int) -> Generation:
        # Two threads must never issue in one authority's directory under one number.
        issuer = self._authorities[authority % KEYS]
        name = f"series-{series}-{next(self._count)}"
        key_path = self._keys[(series + key) % KEYS]
        done = subprocess.run(
            ["openssl", "req", "-x509", "-sha256", "-config", str(issuer.directory / "openssl.cnf"),
             "-subj", f"/CN={name}", "-days", "90", "-key", str(key_path),
             "-CA", str(issuer.certificate), "-CAkey", str(issuer.key),
             "-addext", "basicConstraints=CA:FALSE", "-addext", "extendedKeyUsage=clientAuth"],
            capture_output=True, check=True)
        return Generation(name, issuer.certificate.read_bytes(), done.stdout,
                          key_path.read_bytes())

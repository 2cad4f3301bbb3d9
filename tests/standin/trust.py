"""Certificates that a server can show, and the places in which their root can be trusted."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from .pki import Authority, Pair

NAME = "db.example"
HOSTS = (NAME, "localhost", "127.0.0.1", "::1")
STORES = ("file", "directory", "system")
HOUR = 3600.0
ISSUER = "unable to get local issuer certificate"

# A part of the reason for which a client must refuse the certificate; "": it is good.
VERDICTS = {
    "right": "",
    "chain": "",
    "leaf-alone": ISSUER,
    "unknown-issuer": ISSUER,
    "public": ISSUER,
    "self-signed": "self-signed certificate",
    "expired": "certificate has expired",
    "not-yet-valid": "certificate is not yet valid",
    "other-name": "mismatch",
    "other-purpose": "unsuitable certificate purpose",
}


# Its own mounts hide the trust store and the names of the machine from one process.
NAMESPACE = """
mount --make-rprivate /
mount --bind "$1" /etc/ssl/certs
mount --bind "$2" /etc/hosts
shift 2
exec "$@"
"""


def verdict(identity: str, store: str) -> str:
    """The issuer of "public" is in the system's store only, which server-ca replaces."""
    return "" if (identity, store) == ("public", "system") else VERDICTS[identity]


class Identity(NamedTuple):
    """chain: the leaf and what the server sends with it."""

    chain: Path
    key: Path


class Trust:
    def __init__(self, directory: Path, key: Path | None = None) -> None:
        """key: of every server certificate; without one each has its own."""
        root = Authority(directory / "root", "Trusted CA")
        self._intermediate = Authority(directory / "intermediate", "Intermediate CA", issuer=root)
        another = Authority(directory / "another", "Another CA")
        public = Authority(directory / "public", "Public CA")
        self_signed = Authority(directory / "self-signed", NAME, key=key)
        issue = self._intermediate.issue_server
        pairs = {
            "right": root.issue_server(*HOSTS, key=key),
            "chain": issue(*HOSTS, key=key),
            "leaf-alone": issue(*HOSTS, key=key),
            "unknown-issuer": another.issue_server(*HOSTS, key=key),
            "public": public.issue_server(*HOSTS, key=key),
            "self-signed": Pair(self_signed.certificate, self_signed.key, self_signed.subject),
            "expired": root.issue_server(*HOSTS, key=key, valid=(-2 * HOUR, -HOUR)),
            "not-yet-valid": root.issue_server(*HOSTS, key=key, valid=(HOUR, 2 * HOUR)),
            "other-name": root.issue_server("other.example", "127.0.0.2", key=key),
            "other-purpose": root.issue_server(*HOSTS, key=key, usage="clientAuth"),
        }
        assert pairs.keys() == VERDICTS.keys()
        chain = pairs["chain"].certificate
        chain.write_bytes(chain.read_bytes() + self._intermediate.certificate.read_bytes())
        self.identities = {name: Identity(pair.certificate, pair.key)
                           for name, pair in pairs.items()}
        self.file = root.certificate
        self.directory = _rehashed(directory / "trusted", root)
        self._system = _rehashed(directory / "system", root, public)
        self._hosts = directory / "hosts"
        self._hosts.write_text(f"127.0.0.1 localhost {NAME}\n")

    @property
    def stores(self) -> dict[str, str]:
        """The values of server-ca, by STORES."""
        return {"file": str(self.file), "directory": str(self.directory), "system": ""}

    def namespace(self) -> list[str]:
        """A command that executes its arguments where the system trusts the root, and knows NAME."""
        return ["unshare", "--mount", "sh", "-ec", NAMESPACE, "sh", str(self._system),
                str(self._hosts)]


def _rehashed(directory: Path, *authorities: Authority) -> Path:
    directory.mkdir()
    for number, authority in enumerate(authorities):
        (directory / f"{number}.pem").write_bytes(authority.certificate.read_bytes())
    subprocess.run(["openssl", "rehash", str(directory)], check=True, capture_output=True)
    return directory

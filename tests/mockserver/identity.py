"""The certificates that servers show: the good one, and those that nobody must accept."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from tests.standin import Authority
from tests.standin.pki import Pair

HOUR = 3600.0


class Identities:
    def __init__(self, directory: Path, client_authority: Authority) -> None:
        # Elliptic, because a sweep shakes hands some thousand times.
        key = directory / "server-key.pem"
        subprocess.run(["openssl", "ecparam", "-genkey", "-noout", "-name", "prime256v1",
                        "-out", str(key)], check=True, capture_output=True)
        self.authority = Authority(directory / "servers", "Server CA")
        another = Authority(directory / "another", "Another CA")
        twin = Authority(directory / "twin", "Server CA")
        by_itself = Authority(directory / "itself", "localhost")
        issue = self.authority.issue_server
        self._pairs: dict[str, Pair] = {
            "good": issue(key=key),
            "of-another-authority": another.issue_server(key=key),
            "of-an-authority-of-the-same-name": twin.issue_server(key=key),
            "of-the-client-authority": client_authority.issue_server(key=key),
            "signed-by-itself": Pair(by_itself.certificate, by_itself.key, by_itself.subject),
            "expired": issue(key=key, valid=(-2 * HOUR, -HOUR)),
            "not-yet-valid": issue(key=key, valid=(HOUR, 2 * HOUR)),
            "of-another-host": issue("db.example.org", "10.9.8.7", key=key),
            "of-a-longer-name": issue("localhost.example.org", "xlocalhost", key=key),
            "common-name": self.authority.issue_client("localhost", key=key, usage="serverAuth"),
            "about-to-expire": issue(key=key, valid=(-HOUR, 29 * 24 * HOUR)),
            "of-many-names": issue(*(f"db{i}.example.org" for i in range(20)), key=key),
            "for-clients": self.authority.issue_client("localhost", key=key),
        }

    def context(self, identity: str) -> ssl.SSLContext:
        """One of its own: a case may narrow it."""
        pair = self._pairs[identity]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        return context

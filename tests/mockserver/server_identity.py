"""Server certificates: the good one, and those that a client must refuse."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from tests.standin import Authority
from tests.standin.pki import Pair

HOUR = 3600.0
DAY = 24 * HOUR


class ServerIdentities:
    def __init__(self, directory: Path, client_authority: Authority) -> None:
        # EC, because test_truncation makes thousands of handshakes.
        key = directory / "server-key.pem"
        subprocess.run(["openssl", "ecparam", "-genkey", "-noout", "-name", "prime256v1",
                        "-out", str(key)], check=True, capture_output=True)
        self.authority = Authority(directory / "servers", "Server CA")
        another = Authority(directory / "another", "Another CA")
        twin = Authority(directory / "twin", "Server CA")
        self_signed = Authority(directory / "self-signed", "localhost")
        issue = self.authority.issue_server
        self._pairs: dict[str, Pair] = {
            "good": issue(key=key),
            "unknown-authority": another.issue_server(key=key),
            "same-name-authority": twin.issue_server(key=key),
            "client-authority": client_authority.issue_server(key=key),
            "self-signed": Pair(self_signed.certificate, self_signed.key, self_signed.subject),
            "expired": issue(key=key, valid=(-2 * HOUR, -HOUR)),
            "not-yet-valid": issue(key=key, valid=(HOUR, 2 * HOUR)),
            "wrong-host": issue("db.example.org", "10.9.8.7", key=key),
            "longer-name": issue("localhost.example.org", "xlocalhost", key=key),
            "common-name": self.authority.issue_client("localhost", key=key, usage="serverAuth"),
            "about-to-expire": issue(key=key, valid=(-90 * DAY, 29 * DAY)),
            "short-lived": issue(key=key, valid=(-HOUR, DAY)),
            "many-names": issue(*(f"db{i}.example.org" for i in range(20)), key=key),
            "client-purpose": self.authority.issue_client("localhost", key=key),
        }

    def context(self, identity: str) -> ssl.SSLContext:
        """Returns a new context each time, because a handler may restrict its TLS versions."""
        pair = self._pairs[identity]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        return context

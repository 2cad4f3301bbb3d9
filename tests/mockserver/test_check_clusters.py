"""The server certificate as --check-clusters shows it, and what the server gets before that."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from . import faults, packet
from .conversation import Handler
from .secret import PASSWORD, Secret
from .harness import USER, Harness

pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # deprecated versions


@dataclass(frozen=True)
class Case:
    """seen: the server shows a certificate; logged_in: the login succeeds."""

    identity: str = "good"
    host: str = "localhost"
    handlers: dict[str, Handler] = field(default_factory=dict)
    verified: bool = False
    seen: bool = True
    reason: str = ""
    next: str = ""
    logged_in: bool = False


LACKS = "server-ca lacks the CA that signed, {}: "
CASES = {
    "good": Case(verified=True, logged_in=True),
    "good-by-address": Case(host="127.0.0.1", verified=True, logged_in=True),
    "common-name": Case("common-name", verified=True, logged_in=True),
    "about-to-expire": Case("about-to-expire", verified=True, logged_in=True),
    "short-lived": Case("short-lived", verified=True, logged_in=True),
    "unknown-authority": Case(
        "unknown-authority",
        reason="unable to get local issuer certificate: the issuer CN = Another CA is not in "
               "server-ca", next=LACKS.format("CN = Another CA")),
    "client-authority": Case(
        "client-authority",
        reason="the issuer CN = Client CA is not in server-ca",
        next=LACKS.format("CN = Client CA")),
    "same-name-authority": Case(
        "same-name-authority",
        reason="server-ca has an authority named CN = Server CA, but another of that name signed",
        next=LACKS.format("CN = Server CA")),
    "self-signed": Case(
        "self-signed",
        reason="self-signed certificate: the certificate is its own issuer CN = localhost",
        next=LACKS.format("CN = localhost")),
    "expired": Case(
        "expired", reason="certificate has expired: the certificate CN = localhost expired at 20",
        next="the server's certificate expired on 20"),
    "not-yet-valid": Case(
        "not-yet-valid", reason="certificate is not yet valid: the certificate CN = localhost "
        "begins at 20", next="check the clock"),
    "wrong-host": Case(
        "wrong-host",
        reason="the certificate is for db.example.org, 10.9.8.7; host is localhost",
        next="host must be one of: db.example.org, 10.9.8.7"),
    "longer-name": Case(
        "longer-name",
        reason="the certificate is for localhost.example.org, xlocalhost; host is localhost",
        next="host must be one of: localhost.example.org, xlocalhost"),
    "many-names": Case(
        "many-names", reason="db7.example.org and 12 more; host is localhost",
        next="host must be one of: db0.example.org, db1.example.org, db2.example.org"),
    "client-purpose": Case(
        "client-purpose",
        reason="unsuitable certificate purpose: the certificate's extended key usage "
        "does not have serverAuth", next="serverAuth"),
    "no-tls": Case(
        seen=False, reason="the server does not support it", next="must offer TLS 1.2 or 1.3",
        handlers={"greeting": faults.reply(packet.greeting(
            capabilities=packet.CAPABILITIES & ~packet.CLIENT_SSL))}),
    "tls-1.1": Case(
        seen=False, reason="TLS/SSL error: ", next="must offer TLS 1.2 or 1.3",
        handlers={"tls": faults.version(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1,
                                        "ALL:@SECLEVEL=0")}),
    "not-tls": Case(seen=False, reason="TLS/SSL error: wrong version number",
                    next="check server-ca, host and port", handlers={"tls": faults.not_tls}),
    "injected-before-tls": Case(seen=False, reason="TLS/SSL error: ",
                                next="check server-ca, host and port",
                                handlers={"tls": faults.inject_before_tls}),
}


@pytest.fixture(scope="module")
def results(make_harness: Callable[[str], Harness]) -> Iterator[tuple[Harness, dict[str, dict]]]:
    """One check of all cases in parallel."""
    harness = make_harness("parallel-imports = 64")
    for name, case in CASES.items():
        harness.add(name, harness.script(case.identity, handlers=case.handlers),
                    {"host": case.host})
    yield harness, harness.check()


@pytest.mark.parametrize("name", CASES)
def test_the_finding_names_the_problem_and_the_next_step(results, name: str) -> None:
    _, clusters = results
    case, cluster = CASES[name], clusters[name]
    certificate = cluster["certificate"]
    assert (certificate is not None) is case.seen
    assert (cluster["tls_version"] is not None) is case.logged_in
    if case.verified:
        assert certificate["verified"] is True and certificate["reason"] is None
        return
    (finding,) = cluster["findings"]
    assert (finding["outcome"], finding["severity"]) == ("tls", "error")
    assert case.reason in finding["text"]
    assert case.next in finding["next"]
    if certificate is not None:
        assert certificate["verified"] is False and certificate["reason"] == finding["text"]


def test_names_dates_and_issuer_are_those_of_the_certificate(results) -> None:
    _, clusters = results
    many = clusters["many-names"]["certificate"]
    assert many["names"] == [f"db{i}.example.org" for i in range(8)] and many["name_count"] == 20
    assert clusters["common-name"]["certificate"]["names"] == ["localhost"]
    expired = clusters["expired"]["certificate"]
    assert expired["not_after"] - expired["not_before"] == 3600 * 10**6
    assert expired["not_after"] / 1e6 < time.time()
    other = clusters["unknown-authority"]["certificate"]
    assert (other["subject"], other["issuer"]) == ("CN = localhost", "CN = Another CA")
    assert other["chain_length"] == 1


def test_a_certificate_about_to_expire_is_a_warning(results) -> None:
    _, clusters = results
    warnings = {name: [finding["text"] for finding in clusters[name]["findings"]
                       if (finding["outcome"], finding["severity"]) == ("tls", "warning")]
                for name in ("good", "about-to-expire", "short-lived")}
    assert warnings["good"] == warnings["short-lived"] == []
    assert len(warnings["about-to-expire"]) == 1
    assert "the server's certificate is valid until 20" in warnings["about-to-expire"][0]


@pytest.mark.parametrize("name", CASES)
def test_an_unverified_server_gets_no_more_than_a_handshake(results, name: str) -> None:
    harness, _ = results
    (conversation,) = harness.scripts[name].conversations
    wire = conversation.wire
    if CASES[name].verified:
        assert USER.encode() in wire.decrypted
        return
    assert wire.decrypted == b""
    assert USER.encode() not in wire.received
    assert Secret.of_password(PASSWORD).found_in(wire.received) == []

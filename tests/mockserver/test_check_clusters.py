"""The server certificate as --check-clusters shows it, and the data sent to obtain it.

Each mock server gets two connections: the login, and then the TLS probe, which reads the
certificate and closes the connection.
"""

from __future__ import annotations

import ssl
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from . import faults, packet
from .conversation import Conversation, Handler, Script, good, nothing, upgrade
from .secret import PASSWORD, Secret
from .harness import USER, Harness

DEADLINE = 5.0
REQUEST = struct.pack("<IIB", 0x8a01, 0x10000, 45) + bytes(23)
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # deprecated versions


@dataclass(frozen=True)
class Case:
    """handlers apply to both connections. logged_in: the login succeeds."""

    identity: str = "good"
    host: str = "localhost"
    handlers: dict[str, Handler] = field(default_factory=dict)
    verified: bool = False
    seen: bool = True
    reason: str = ""
    next: str = ""
    logged_in: bool = False


LACKS = "server-ca lacks the issuer {}: "
CASES = {
    "good": Case(verified=True, logged_in=True),
    "good-by-address": Case(host="127.0.0.1", verified=True, logged_in=True),
    "common-name": Case("common-name", verified=True, logged_in=True),
    "about-to-expire": Case("about-to-expire", verified=True, logged_in=True),
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
        seen=False, reason="the server 8.0.39-mock does not offer TLS",
        next="TLS 1.2 or 1.3 must be enabled",
        handlers={"greeting": faults.reply(packet.greeting(
            capabilities=packet.CAPABILITIES & ~packet.CLIENT_SSL))}),
    "tls-1.1": Case(
        seen=False, reason="TLS failed: ", next="TLS 1.2 or 1.3 must be enabled",
        handlers={"tls": faults.version(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1,
                                        "ALL:@SECLEVEL=0")}),
    "not-tls": Case(seen=False, reason="TLS failed: wrong version number",
                    handlers={"tls": faults.not_tls}),
    "injected-before-tls": Case(seen=False, reason="TLS failed: ",
                                handlers={"tls": faults.inject_before_tls}),
}


def flood_of_hellos(conversation: Conversation, payloads: list[bytes]) -> None:
    """Records of HelloRequest (RFC 5246, 7.4.1.1), which a client ignores during a handshake."""
    while True:
        conversation.wire.send(b"\x16\x03\x03\x40\x00" + bytes(1 << 14))


# Faults of the TLS probe, after a successful login.
PROBE_FAULTS: dict[str, tuple[str, Handler, str]] = {
    "silence": ("greeting", faults.silence, "no greeting: no answer in time"),
    "half": ("greeting", faults.truncate, "no greeting: no answer in time"),
    "trickle": ("greeting", faults.trickle, "no greeting: no answer in time"),
    "gone": ("accept", faults.close, "no greeting: the server has ended the connection"),
    "reset": ("accept", faults.reset, "no "),
    "garbage": ("greeting", faults.garbage, "the server does not speak the MySQL protocol"),
    "empty": ("greeting", faults.empty, "the server does not speak the MySQL protocol"),
    "huge": ("greeting", faults.huge_header, "the server does not speak the MySQL protocol"),
    "flood": ("greeting", faults.flood_of_bytes, "the server does not speak the MySQL protocol"),
    "protocol-9": ("greeting", faults.reply(packet.greeting(protocol=9)),
                   "the server speaks protocol 9, not MySQL's 10"),
    "full": ("greeting", faults.reply(packet.error_before_login(1040, "Too many connections")),
             "the server answers with error 1040: Too many connections"),
    "blocked": ("greeting", faults.reply(packet.error(1129, "Host is blocked")),
                "the server answers with error 1129: Host is blocked"),
    "silent-tls": ("tls", faults.silence, "TLS failed: no answer in time"),
    "flood-tls": ("tls", flood_of_hellos,
                  "TLS failed: the server sends more data than allowed"),
    "gone-tls": ("tls", faults.close, "TLS failed: the server has ended the connection"),
}


def second(other: Handler, first: Handler) -> Handler:
    """Another handler for the second connection, which is the TLS probe."""
    seen: list[Conversation] = []

    def perform(conversation: Conversation, payloads: list[bytes]) -> None:
        seen.append(conversation)
        (first if len(seen) == 1 else other)(conversation, payloads)
    return perform


@pytest.fixture(scope="module")
def results(make_harness: Callable[[str], Harness]) -> Iterator[tuple[Harness, dict[str, dict],
                                                                      float]]:
    """One check of all cases in parallel, because most of them mostly wait, and its duration."""
    harness = make_harness(f"parallel-imports = 64\nimport-timeout = {DEADLINE:.0f}s")
    default = {"accept": nothing, "greeting": good, "tls": upgrade}
    for name, case in CASES.items():
        harness.add(name, harness.script(case.identity, handlers=case.handlers),
                    {"host": case.host})
    for name, (step, how, _) in PROBE_FAULTS.items():
        harness.add(name, harness.script(handlers={step: second(how, default[step])}))
    begin = time.monotonic()
    clusters = harness.check()
    yield harness, clusters, time.monotonic() - begin


def probe_connection(script: Script) -> Conversation:
    assert len(script.conversations) == 2
    return script.conversations[1]


@pytest.mark.parametrize("name", CASES)
def test_the_finding_names_the_problem_and_the_next_step(results, name: str) -> None:
    _, clusters, _ = results
    case, cluster = CASES[name], clusters[name]
    certificate = cluster["certificate"]
    assert certificate["verified"] is case.verified, certificate["reason"]
    assert (certificate["subject"] is not None) is case.seen
    assert (cluster["tls_version"] is not None) is case.logged_in
    if case.verified:
        assert certificate["reason"] is None
        return
    assert case.reason in certificate["reason"]
    (finding,) = cluster["findings"]
    assert (finding["outcome"], finding["severity"]) == ("tls", "error")
    assert finding["text"].startswith(certificate["reason"])
    assert case.next in finding["next"]


def test_names_dates_and_issuer_are_those_of_the_certificate(results) -> None:
    _, clusters, _ = results
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
    _, clusters, _ = results
    warnings = {name: [finding["text"] for finding in clusters[name]["findings"]
                       if (finding["outcome"], finding["severity"]) == ("tls", "warning")]
                for name in ("good", "about-to-expire")}
    assert warnings["good"] == []
    assert len(warnings["about-to-expire"]) == 1
    assert "the server's certificate is valid until 20" in warnings["about-to-expire"][0]


@pytest.mark.parametrize("name", PROBE_FAULTS)
def test_a_failed_tls_probe_has_a_reason(results, name: str) -> None:
    _, clusters, _ = results
    certificate = clusters[name]["certificate"]
    assert clusters[name]["tls_version"] == "TLSv1.3"
    assert certificate["verified"] is False and certificate["subject"] is None
    assert certificate["reason"].startswith(PROBE_FAULTS[name][2])


def test_a_different_certificate_on_the_second_connection_is_a_warning(
        make_harness: Callable[[str], Harness]) -> None:
    harness = make_harness("")
    script = harness.script()
    other = harness.session.identities.context("wrong-host")

    def show_another(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.wire.start_tls(other)

    script.handlers["tls"] = second(show_another, upgrade)
    harness.add("changing", script)
    cluster = harness.check()["changing"]
    assert cluster["certificate"]["verified"] is False
    assert ["another connection was shown another certificate" in finding["text"]
            for finding in cluster["findings"] if finding["severity"] == "warning"] == [True]


def test_the_check_ends_at_its_deadline(results) -> None:
    *_, took = results
    # 30 s more for a loaded machine; without a deadline the check would never end.
    assert took < DEADLINE + 30


@pytest.mark.parametrize("name", [*CASES, *PROBE_FAULTS])
def test_nothing_but_the_ssl_request_is_sent(results, name: str) -> None:
    """Nothing inside TLS, and no server name in the ClientHello: libmariadb sends none either."""
    harness, _, _ = results
    wire = probe_connection(harness.scripts[name]).wire
    clear = bytes(wire.cleartext)
    request = packet.frame(REQUEST, 1)
    assert clear[:len(request)] in (b"", request)
    assert clear[len(request):len(request) + 2] in (b"", b"\x16\x03", b"\x15\x03")
    assert wire.decrypted == b""
    assert USER.encode() not in wire.received
    assert b"localhost" not in wire.received
    assert Secret.of_password(PASSWORD).found_in(wire.received) == []


def test_the_client_hello_of_a_login_names_no_server(results) -> None:
    """The TLS probe must not differ from a login here. The ClientHello is cleartext."""
    harness, _, _ = results
    login, probe = harness.scripts["good"].conversations
    for conversation in (login, probe):
        assert bytes(conversation.wire.received[36:38]) == b"\x16\x03"
        assert b"localhost" not in conversation.wire.received

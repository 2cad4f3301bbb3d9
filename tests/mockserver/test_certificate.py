"""What --check-clusters tells of the certificate that a server shows, and what it sends for it.

The login comes first, so each script is played twice: to the login, and to the knock, which takes
the certificate and leaves.
"""

from __future__ import annotations

import ssl
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from . import deed, packet
from .conversation import Conversation, Deed, Script, good, nothing, upgrade
from .secret import PASSWORD, Secret
from .stage import USER, Stage

DEADLINE = 5.0
REQUEST = struct.pack("<IIB", 0x8a01, 0x10000, 45) + bytes(23)
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # that they are refused


@dataclass(frozen=True)
class Case:
    """`deeds` befall the knock alone where `logged_in`, and otherwise both."""

    identity: str = "good"
    host: str = "localhost"
    deeds: dict[str, Deed] = field(default_factory=dict)
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
    "of-another-authority": Case(
        "of-another-authority",
        reason="unable to get local issuer certificate: the issuer CN = Another CA is not in "
               "server-ca", next=LACKS.format("CN = Another CA")),
    "of-the-client-authority": Case(
        "of-the-client-authority",
        reason="the issuer CN = Client CA is not in server-ca",
        next=LACKS.format("CN = Client CA")),
    "of-an-authority-of-the-same-name": Case(
        "of-an-authority-of-the-same-name", 
        reason="server-ca has an authority named CN = Server CA, but another of that name signed",
        next=LACKS.format("CN = Server CA")),
    "signed-by-itself": Case(
        "signed-by-itself",
        reason="self-signed certificate: the certificate is its own issuer CN = localhost",
        next=LACKS.format("CN = localhost")),
    "expired": Case(
        "expired", reason="certificate has expired: the certificate CN = localhost expired at 20",
        next="the server's certificate expired on 20"),
    "not-yet-valid": Case(
        "not-yet-valid", reason="certificate is not yet valid: the certificate CN = localhost "
        "begins at 20", next="check the clock"),
    "of-another-host": Case(
        "of-another-host",
        reason="the certificate is for db.example.org, 10.9.8.7; host is localhost",
        next="host must be one of: db.example.org, 10.9.8.7"),
    "of-a-longer-name": Case(
        "of-a-longer-name",
        reason="the certificate is for localhost.example.org, xlocalhost; host is localhost",
        next="host must be one of: localhost.example.org, xlocalhost"),
    "of-many-names": Case(
        "of-many-names", reason="db7.example.org and 12 more; host is localhost",
        next="host must be one of: db0.example.org, db1.example.org, db2.example.org"),
    "for-clients": Case(
        "for-clients", reason="unsuitable certificate purpose: the certificate's extended key usage "
        "does not have serverAuth", next="serverAuth"),
    "no-tls": Case(
        seen=False, reason="the server 8.0.39-peer does not offer TLS", next="TLS 1.2 or 1.3 must be enabled",
        deeds={"greeting": deed.says(packet.greeting(
            capabilities=packet.CAPABILITIES & ~packet.CLIENT_SSL))}),
    "tls-1.1": Case(
        seen=False, reason="TLS failed: ", next="TLS 1.2 or 1.3 must be enabled",
        deeds={"tls": deed.version(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0")}),
    "not-tls": Case(seen=False, reason="TLS failed: wrong version number",
                    deeds={"tls": deed.not_tls}),
    "slipped-in": Case(seen=False, reason="TLS failed: ", deeds={"tls": deed.slipped_in}),
}

def flood_of_hellos(conversation: Conversation, payloads: list[bytes]) -> None:
    """Records full of HelloRequest (RFC 5246, 7.4.1.1), which a client that shakes hands skips."""
    while True:
        conversation.wire.send(b"\x16\x03\x03\x40\x00" + bytes(1 << 14))


# What befalls the knock after a login that went well.
KNOCKS: dict[str, tuple[str, Deed, str]] = {
    "silence": ("greeting", deed.silence, "no greeting: no answer in time"),
    "half": ("greeting", deed.half, "no greeting: no answer in time"),
    "trickle": ("greeting", deed.trickle, "no greeting: no answer in time"),
    "gone": ("accept", deed.close, "no greeting: the server has ended the connection"),
    "reset": ("accept", deed.reset, "no "),
    "garbage": ("greeting", deed.garbage, "the server does not speak the MySQL protocol"),
    "empty": ("greeting", deed.empty, "the server does not speak the MySQL protocol"),
    "huge": ("greeting", deed.huge_header, "the server does not speak the MySQL protocol"),
    "flood": ("greeting", deed.flood_of_bytes, "the server does not speak the MySQL protocol"),
    "protocol-9": ("greeting", deed.says(packet.greeting(protocol=9)),
                   "the server speaks protocol 9, not MySQL's 10"),
    "full": ("greeting", deed.says(packet.error_before_login(1040, "Too many connections")),
             "the server answers with error 1040: Too many connections"),
    "blocked": ("greeting", deed.says(packet.error(1129, "Host is blocked")),
                "the server answers with error 1129: Host is blocked"),
    "silent-tls": ("tls", deed.silence, "TLS failed: no answer in time"),
    "flood-tls": ("tls", flood_of_hellos, "TLS failed: the server sends more data than allowed"),
    "gone-tls": ("tls", deed.close, "TLS failed: the server has ended the connection"),
}



def second(other: Deed, first: Deed) -> Deed:
    """Another deed for the one who comes second, which is the knock."""
    seen: list[Conversation] = []

    def perform(conversation: Conversation, payloads: list[bytes]) -> None:
        seen.append(conversation)
        (first if len(seen) == 1 else other)(conversation, payloads)
    return perform


@pytest.fixture(scope="module")
def told(make_stage: Callable[[str], Stage]) -> Iterator[tuple[Stage, dict[str, dict], float]]:
    """All at once, because most of them mostly wait; and how long it took."""
    stage = make_stage(f"parallel-imports = 64\nimport-timeout = {DEADLINE:.0f}s")
    usual = {"accept": nothing, "greeting": good, "tls": upgrade}
    for name, case in CASES.items():
        stage.add(name, stage.script(case.identity, deeds=case.deeds), {"host": case.host})
    for name, (step, how, _) in KNOCKS.items():
        stage.add(name, stage.script(deeds={step: second(how, usual[step])}))
    begin = time.monotonic()
    clusters = stage.check()
    yield stage, clusters, time.monotonic() - begin


def knock_of(script: Script) -> Conversation:
    assert len(script.conversations) == 2
    return script.conversations[1]


@pytest.mark.parametrize("name", CASES)
def test_the_sentence_names_what_is_wrong(told, name: str) -> None:
    _, clusters, _ = told
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


def test_the_facts_are_those_of_the_certificate(told) -> None:
    _, clusters, _ = told
    many = clusters["of-many-names"]["certificate"]
    assert many["names"] == [f"db{i}.example.org" for i in range(8)] and many["name_count"] == 20
    assert clusters["common-name"]["certificate"]["names"] == ["localhost"]
    expired = clusters["expired"]["certificate"]
    assert expired["not_after"] - expired["not_before"] == 3600 * 10**6
    assert expired["not_after"] / 1e6 < time.time()
    other = clusters["of-another-authority"]["certificate"]
    assert (other["subject"], other["issuer"]) == ("CN = localhost", "CN = Another CA")
    assert other["chain_length"] == 1


def test_a_certificate_that_soon_expires_is_a_warning(told) -> None:
    _, clusters, _ = told
    warnings = {name: [finding["text"] for finding in clusters[name]["findings"]
                       if (finding["outcome"], finding["severity"]) == ("tls", "warning")]
                for name in ("good", "about-to-expire")}
    assert warnings["good"] == []
    assert len(warnings["about-to-expire"]) == 1
    assert "the server's certificate is valid until 20" in warnings["about-to-expire"][0]


@pytest.mark.parametrize("name", KNOCKS)
def test_a_knock_that_comes_to_nothing_says_why(told, name: str) -> None:
    _, clusters, _ = told
    certificate = clusters[name]["certificate"]
    assert clusters[name]["tls_version"] == "TLSv1.3"
    assert certificate["verified"] is False and certificate["subject"] is None
    assert certificate["reason"].startswith(KNOCKS[name][2])


def test_a_certificate_that_changes_between_two_connections_is_told(
        make_stage: Callable[[str], Stage]) -> None:
    stage = make_stage("")
    script = stage.script()
    other = stage.props.identities.context("of-another-host")

    def show_another(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.wire.start_tls(other)

    script.deeds["tls"] = second(show_another, upgrade)
    stage.add("changing", script)
    cluster = stage.check()["changing"]
    assert cluster["certificate"]["verified"] is False
    assert ["another connection was shown another certificate" in finding["text"]
            for finding in cluster["findings"] if finding["severity"] == "warning"] == [True]


def test_nobody_holds_the_check_beyond_its_deadline(told) -> None:
    *_, took = told
    # Half of a minute is for a machine that is busy: a check without a bound would never end.
    assert took < DEADLINE + 30


@pytest.mark.parametrize("name", [*CASES, *KNOCKS])
def test_nothing_but_the_request_for_tls_is_sent(told, name: str) -> None:
    """Not even within TLS, and not in the hello: libmariadb names no server in it either."""
    stage, _, _ = told
    wire = knock_of(stage.scripts[name]).wire
    clear = bytes(wire.clear)
    request = packet.frame(REQUEST, 1)
    assert clear[:len(request)] in (b"", request)
    assert clear[len(request):len(request) + 2] in (b"", b"\x16\x03", b"\x15\x03")
    assert wire.inside == b""
    assert USER.encode() not in wire.received
    assert b"localhost" not in wire.received
    assert Secret.of_password(PASSWORD).found_in(wire.received) == []


def test_the_hello_of_a_login_names_no_server_either(told) -> None:
    """What the knock must not differ in; the hello is in clear, and begins what was received."""
    stage, _, _ = told
    login, knock = stage.scripts["good"].conversations
    for conversation in (login, knock):
        assert bytes(conversation.wire.received[36:38]) == b"\x16\x03"
        assert b"localhost" not in conversation.wire.received

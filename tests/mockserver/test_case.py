"""Servers that break the good conversation at one point: the outcome, and what they could read.

All cases are clusters of one daemon and run side by side, because most of them mostly wait.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest

from . import login, packet, statement, token
from .case import named
from .conftest import CANARY
from .conversation import Conversation
from .secret import PASSWORD, Secret
from .stage import Stage

CASES = named([*login.BEFORE_TLS, *login.CERTIFICATES, *login.VERSIONS, *login.LOGINS,
               *token.TOKENS, *statement.broken(), *statement.LOOK, *statement.LOGS,
               *statement.PREPARE, *statement.CALL, *statement.STATUS])
SECONDS = 60.0
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # that they are refused
REQUEST = 36  # bytes of the request for TLS: capabilities, sizes, a character set
RANDOM = slice(REQUEST + 11, REQUEST + 43)  # of the ClientHello (RFC 8446, 4.1.2) in its record


@pytest.fixture(scope="module")
def played(make_stage: Callable[[str], Stage]) -> Iterator[tuple[Stage, dict[str, dict]]]:
    """All that was played; the daemon still runs, with nothing left to do."""
    # A deadline of 5 s lets a single read last for 4.
    stage = make_stage("parallel-imports = 64\nimport-timeout = 5s")
    for name, case in CASES.items():
        stage.add(name, stage.script(case.identity, deeds=case.deeds,
                                     password=case.password.encode()), case.settings)
    stage.start()
    yield stage, stage.wait(SECONDS)
    assert stage.service.stop() == 0




@pytest.mark.parametrize("name", CASES)
def test_case(played: tuple[Stage, dict[str, dict]], name: str) -> None:
    stage, clusters = played
    case, cluster = CASES[name], clusters[name]
    outcome = cluster["outcome"]
    assert outcome in case.outcomes, cluster["reason"]
    assert cluster["state"] == case.state(outcome)
    if case.errno is not None:
        assert cluster["sql_errno"] == case.errno, cluster["reason"]

    (conversation,) = stage.scripts[name].conversations
    wire = conversation.wire
    if case.last:
        assert conversation.steps[-1] == case.last
    password = Secret.of_password(case.password)
    secret = stage.props.secret | password
    assert secret.found_in(wire.received) == []
    assert secret.found_in(wire.clear) == []
    assert CANARY.encode() not in wire.inside + wire.received
    if not case.verified:
        assert wire.inside == b""
        assert conversation.login == b""
    if "call" not in conversation.steps:
        assert stage.props.secret.found_in(wire.inside) == []
    if not case.tells_password:
        assert password.found_in(wire.inside) == []


@pytest.mark.parametrize("name", CASES)
def test_only_the_request_for_tls_is_sent_in_clear(played: tuple[Stage, dict[str, dict]],
                                                   name: str) -> None:
    stage, _ = played
    (conversation,) = stage.scripts[name].conversations
    clear = bytes(conversation.wire.clear)
    if not clear:
        return
    capabilities = struct.unpack_from("<I", clear, 4)[0]
    assert clear[:3] == packet.frame(bytes(32), 1)[:3]
    assert capabilities & packet.CLIENT_SSL
    assert b"ssl_importer" not in clear
    # A server that does not begin TLS sees the client do so, and that is all.
    assert clear[REQUEST:REQUEST + 2] in (b"", b"\x16\x03", b"\x15\x03")


def test_no_two_importers_begin_tls_with_the_same_random_number(
        played: tuple[Stage, dict[str, dict]]) -> None:
    """They are forked from one process, in which OpenSSL was at work before."""
    stage, _ = played
    hellos = [bytes(conversation.wire.received) for script in stage.scripts.values()
              for conversation in script.conversations]
    randoms = [hello[RANDOM] for hello in hellos if hello[REQUEST:REQUEST + 2] == b"\x16\x03"]
    assert len(randoms) > 20
    assert all(len(random) == 32 for random in randoms)
    assert len(set(randoms)) == len(randoms)


def test_the_good_conversation_tells_the_key_once_and_inside_tls(
        played: tuple[Stage, dict[str, dict]]) -> None:
    """Proves that the search finds what it looks for."""
    stage, _ = played
    (conversation,) = stage.scripts["good"].conversations
    assert stage.props.secret.found_in(conversation.wire.inside)
    assert len(conversation.parameters) == 1
    (full,) = stage.scripts["sha2-full"].conversations
    assert "password" in Secret.of_password(PASSWORD).found_in(full.wire.inside)


def test_nothing_that_is_told_afterwards_holds_a_secret(
        played: tuple[Stage, dict[str, dict]]) -> None:
    stage, _ = played
    secrets = [stage.props.secret, *(Secret.of_password(case.password, login.TAIL)
                                     for case in CASES.values())]
    told = stage.told()
    assert all(told.values()) and len(told) == len(CASES) + 4
    for where, text in told.items():
        for secret in secrets:
            assert secret.found_in(text) == [], where

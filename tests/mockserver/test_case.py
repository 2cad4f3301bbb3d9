"""Servers that deviate at one step: the outcome, and the data that the server could read.

All cases are clusters of one daemon and run in parallel, because most of them mostly wait.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest

from . import login_cases, packet, statement_cases, token_cases
from .case import by_name
from .conftest import CANARY
from .conversation import Conversation
from .secret import PASSWORD, Secret
from .harness import Harness

CASES = by_name([*login_cases.BEFORE_TLS, *login_cases.CERTIFICATES, *login_cases.VERSIONS,
                 *login_cases.LOGINS,
                 *token_cases.TOKENS, *statement_cases.faults_at_each_step(),
                 *statement_cases.VARIABLE_CASES, *statement_cases.LOG_CASES,
                 *statement_cases.PREPARE_CASES,
                 *statement_cases.CALL_CASES, *statement_cases.STATUS_CASES])
SECONDS = 180.0
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # deprecated versions
REQUEST = 36  # bytes of SSLRequest: frame header, capabilities, sizes, character set
RANDOM = slice(REQUEST + 11, REQUEST + 43)  # in the ClientHello (RFC 8446, 4.1.2) in its record


@pytest.fixture(scope="module")
def results(make_harness: Callable[[str], Harness]) -> Iterator[tuple[Harness, dict[str, dict]]]:
    """The results of all cases; the daemon still runs, with nothing left to do."""
    # Long enough for 64 processes on a busy machine; the cases that wait for it do so at once.
    harness = make_harness("parallel-imports = 64\nimport-timeout = 15s")
    for name, case in CASES.items():
        harness.add(name, harness.script(case.identity, handlers=case.handlers,
                                         password=case.password.encode()), case.settings)
    harness.start()
    yield harness, harness.wait(SECONDS)
    assert harness.service.stop() == 0


# libmariadb reports these as a connect that failed, so the daemon asks connect(2) for the reason.
ASKED_AGAIN = {"greeting-resets", "token-greeting-resets"}


def conversation_of(harness: Harness, name: str) -> Conversation:
    conversation, *others = harness.scripts[name].conversations
    assert not others or name in ASKED_AGAIN
    assert all(not other.wire.received for other in others)
    return conversation


@pytest.mark.parametrize("name", CASES)
def test_case(results: tuple[Harness, dict[str, dict]], name: str) -> None:
    harness, clusters = results
    case, cluster = CASES[name], clusters[name]
    outcome = cluster["outcome"]
    assert outcome in case.outcomes, cluster["reason"]
    assert cluster["state"] == case.state(outcome)
    if case.errno is not None:
        assert cluster["sql_errno"] == case.errno, cluster["reason"]

    conversation = conversation_of(harness, name)
    wire = conversation.wire
    if case.last_step:
        assert conversation.steps[-1] == case.last_step
    password = Secret.of_password(case.password)
    secret = harness.session.secret | password
    assert secret.found_in(wire.received) == []
    assert secret.found_in(wire.cleartext) == []
    assert CANARY.encode() not in wire.decrypted + wire.received
    if not case.verified:
        assert wire.decrypted == b""
        assert conversation.login == b""
    if "call" not in conversation.steps:
        assert harness.session.secret.found_in(wire.decrypted) == []
    if not case.sends_password:
        assert password.found_in(wire.decrypted) == []


@pytest.mark.parametrize("name", CASES)
def test_only_the_ssl_request_is_sent_in_cleartext(results: tuple[Harness, dict[str, dict]],
                                                   name: str) -> None:
    harness, _ = results
    clear = bytes(conversation_of(harness, name).wire.cleartext)
    if not clear:
        return
    capabilities = struct.unpack_from("<I", clear, 4)[0]
    assert clear[:3] == packet.frame(bytes(32), 1)[:3]
    assert capabilities & packet.CLIENT_SSL
    assert b"ssl_importer" not in clear
    # A server that does not start TLS receives the client's handshake or alert, nothing else.
    assert clear[REQUEST:REQUEST + 2] in (b"", b"\x16\x03", b"\x15\x03")


def test_each_importer_starts_tls_with_another_random_number(
        results: tuple[Harness, dict[str, dict]]) -> None:
    """Importers are forked from one process in which OpenSSL was used before the fork."""
    harness, _ = results
    hellos = [bytes(conversation.wire.received) for script in harness.scripts.values()
              for conversation in script.conversations]
    randoms = [hello[RANDOM] for hello in hellos if hello[REQUEST:REQUEST + 2] == b"\x16\x03"]
    assert len(randoms) > 20
    assert all(len(random) == 32 for random in randoms)
    assert len(set(randoms)) == len(randoms)


def test_a_successful_import_sends_the_key_once_and_inside_tls(
        results: tuple[Harness, dict[str, dict]]) -> None:
    """Proves that the search for secrets finds them."""
    harness, _ = results
    (conversation,) = harness.scripts["good"].conversations
    assert harness.session.secret.found_in(conversation.wire.decrypted)
    assert len(conversation.parameters) == 1
    (full,) = harness.scripts["sha2-full"].conversations
    assert "password" in Secret.of_password(PASSWORD).found_in(full.wire.decrypted)


def test_no_output_contains_a_secret(
        results: tuple[Harness, dict[str, dict]]) -> None:
    harness, _ = results
    secrets = [harness.session.secret, *(Secret.of_password(case.password, login_cases.TAIL)
                                         for case in CASES.values())]
    outputs = harness.readable_output()
    assert all(outputs.values()) and len(outputs) == len(CASES) + 5
    for where, text in outputs.items():
        for secret in secrets:
            assert secret.found_in(text) == [], where

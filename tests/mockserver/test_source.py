"""Replication sources that break the protocol: they cannot stop an import that needs no answer, and
neither the key nor, without verified TLS, the password reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from . import faults, login_cases
from .case import Case, by_name, case
from .harness import SOURCE_USER, Harness
from .secret import Secret

REFUSED = {1045, 1698, 1820, 1862, 3118, 4151}  # doc/design.md, "Probe of the source"
FLOODS = [
    case("greeting-packet-endless", "greeting", faults.flood_of_bytes, verified=False),
    case("login-packet-endless", "login", faults.flood_of_bytes),
    case("login-results-endless", "login", faults.flood_of_results),
    case("login-garbage", "login", faults.framed_garbage),
    case("login-trickle", "login", faults.trickle),
    case("login-reset", "login", faults.reset),
]
IDENTITIES = ["good", "self-signed", "expired"]  # none of them verifies under the CA of the set
CASES = by_name([*login_cases.BEFORE_TLS, *login_cases.LOGINS, *FLOODS,
                 *[Case(f"certificate-{identity}", {}, set(), identity=identity)
                   for identity in IDENTITIES]])
SECONDS = 120.0
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # deprecated versions


@pytest.fixture(scope="module")
def results(make_harness: Callable[[str], Harness]) -> Iterator[tuple[Harness, dict[str, dict]]]:
    harness = make_harness("parallel-imports = 32\nimport-timeout = 40s")
    for name, probed in CASES.items():
        identity = probed.identity if name.startswith("certificate-") else "client-authority"
        harness.add_source(name, harness.script(identity, handlers=probed.handlers,
                                                password=probed.password.encode()),
                           {"source-probe": "try"})
    harness.start()
    yield harness, harness.wait(SECONDS)
    assert harness.service.stop() == 0


@pytest.mark.parametrize("name", CASES)
def test_only_a_refused_account_stops_the_import(
        results: tuple[Harness, dict[str, dict]], name: str) -> None:
    _, clusters = results
    refused = CASES[name].errno in REFUSED
    assert clusters[name]["outcome"] == ("source_refused" if refused else "imported"), \
        clusters[name]["reason"]


@pytest.mark.parametrize("name", CASES)
def test_no_source_gets_a_secret_that_it_should_not(
        results: tuple[Harness, dict[str, dict]], name: str) -> None:
    harness, _ = results
    probed = CASES[name]
    password = Secret.of_password(probed.password)
    conversations = harness.scripts[name].conversations
    assert conversations
    for conversation in conversations:
        wire = conversation.wire
        for data in (wire.received, wire.cleartext, wire.decrypted):
            assert harness.session.secret.found_in(data) == []
        assert password.found_in(wire.received) == []
        if not probed.sends_password:
            assert password.found_in(wire.decrypted) == []
        if name.startswith("certificate-"):
            assert SOURCE_USER.encode() not in wire.decrypted
        assert "variables" not in conversation.steps  # nothing is asked


def test_the_good_source_gets_the_login_of_the_replica(
        results: tuple[Harness, dict[str, dict]]) -> None:
    """Proves that the search for what a source gets finds it."""
    harness, _ = results
    (conversation,) = harness.scripts["good"].conversations
    assert SOURCE_USER.encode() in conversation.login
    assert conversation.ending == "quit"
    (full,) = harness.scripts["sha2-full"].conversations
    assert "password" in Secret.of_password(CASES["sha2-full"].password).found_in(
        full.wire.decrypted)


def test_no_output_contains_a_secret_of_a_source(
        results: tuple[Harness, dict[str, dict]]) -> None:
    harness, _ = results
    secrets = [harness.session.secret, *(Secret.of_password(probed.password, login_cases.TAIL)
                                         for probed in CASES.values())]
    for where, text in harness.readable_output().items():
        for secret in secrets:
            assert secret.found_in(text) == [], where

"""Each server error that has a next step of its own reaches it from each stage of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from . import faults, packet
from .harness import Harness

# The beginning of each next step (daemon/mysql/error-advice.c).
ADVICE = {
    1021: "the server's disk is full",
    1040: "the server has as many connections as max_connections permits",
    1041: "the server has no memory left",
    1114: "a table or the disk of the server is full",
    1129: "the server has blocked this host after failed connections",
    1130: "the account does not accept this host",
    1153: "the payload is larger than max_allowed_packet of the server",
    1184: "the server has ended the connection",
    1203: "the user has as many connections as max_user_connections permits",
    1226: "the account has reached the limit that the message names",
    1820: "the password must be changed",
    1862: "the password has expired",
    3118: "the account is locked",
    4151: "the account is locked",
}
STAGES = ("login", "variables", "prepare", "call")
BEFORE_TLS = (1040, 1129, 1130)  # with these a server refuses a connection
SECONDS = 60.0


@pytest.fixture(scope="module")
def harness(make_harness: Callable[[str], Harness]) -> Iterator[Harness]:
    harness = make_harness("parallel-imports = 64")
    for stage in STAGES:
        for number in ADVICE:
            harness.add(f"{stage}-{number}", harness.script(
                handlers={stage: faults.reply(packet.error(number))}))
    for number in BEFORE_TLS:
        harness.add(f"greeting-{number}", harness.script(
            handlers={"greeting": faults.reply(packet.error_before_login(number, "refused"))}))
    harness.start()
    yield harness
    assert harness.service.stop() == 0


@pytest.fixture(scope="module")
def imports(harness: Harness) -> dict[str, dict]:
    return harness.wait(SECONDS)


@pytest.fixture(scope="module")
def checks(harness: Harness, imports: dict[str, dict]) -> dict[str, dict]:
    return harness.check()


@pytest.mark.parametrize("number", ADVICE)
@pytest.mark.parametrize("stage", STAGES)
def test_an_import(imports: dict[str, dict], stage: str, number: int) -> None:
    cluster = imports[f"{stage}-{number}"]
    assert cluster["sql_errno"] == number, cluster["reason"]
    assert cluster["next_step"].startswith(ADVICE[number])


@pytest.mark.parametrize("number", ADVICE)
@pytest.mark.parametrize("stage", ["login", "variables"])
def test_a_check_of_the_clusters(checks: dict[str, dict], stage: str, number: int) -> None:
    (finding,) = checks[f"{stage}-{number}"]["findings"]
    assert finding["sql_errno"] == number, finding["text"]
    assert finding["next"].startswith(ADVICE[number])


@pytest.mark.parametrize("number", BEFORE_TLS)
def test_an_error_before_tls_has_its_advice_and_is_retried(
        imports: dict[str, dict], checks: dict[str, dict], number: int) -> None:
    """Anybody on the way can have sent it, so it holds nothing."""
    cluster = imports[f"greeting-{number}"]
    assert (cluster["state"], cluster["outcome"]) == ("retrying", "unreachable")
    assert cluster["sql_errno"] == number, cluster["reason"]
    assert cluster["next_step"].startswith(ADVICE[number])
    (finding,) = checks[f"greeting-{number}"]["findings"]
    assert finding["next"].startswith(ADVICE[number])

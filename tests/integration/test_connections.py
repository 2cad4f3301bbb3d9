"""Connections that break or fall silent at each step: what is known afterwards is said, no more.

The flights of an import with TLS 1.3: 0 connect and greeting, 1 TLS hello, 2 login, 3 the look at
the server, 4 prepare, 5 the CALL (README, figures).
"""

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.proxy import Fault, Proxy

CALL = 5


@pytest.fixture
def proxy(house):
    with Proxy(house.aurora.port) as proxy:
        yield proxy


def start(house, service, proxy, fault: Fault, **more):
    """One import that meets the fault; those after it do not."""
    proxy.next_faults.append(fault)
    service.configure(configuration(service, house.aurora, port=proxy.port, **more))
    write_material(service.material, house.authority.certificate, house.client("connection"))
    service.start()


def first_outcome(service) -> str:
    """The record of the first attempt, before the second one succeeds."""
    service.wait_cluster("orders", "current")
    line = next(line for line in service.log().splitlines() if "cluster orders: import " in line)
    return line.split("import ")[1].split(":")[0].split(" ")[0]


@pytest.mark.parametrize("flight", range(CALL))
@pytest.mark.parametrize("at", ["request", "answer"])
@pytest.mark.parametrize("how", ["reset", "close"])
def test_what_breaks_before_the_call_is_no_unknown(house, service, proxy, flight, at, how):
    before = len(house.aurora.imports())
    start(house, service, proxy, Fault(flight, at, how))
    assert first_outcome(service) in ("unreachable", "tls")
    assert len(house.aurora.imports()) == before + 1


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_call_whose_answer_is_lost_is_unknown_and_sent_again(house, service, proxy, how):
    before = len(house.aurora.imports())
    start(house, service, proxy, Fault(CALL, "answer", how))
    assert first_outcome(service) == "unknown"
    assert len(house.aurora.imports()) == before + 2


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_call_that_never_arrived_is_unknown_all_the_same(house, service, proxy, how):
    before = len(house.aurora.imports())
    start(house, service, proxy, Fault(CALL, "request", how))
    assert first_outcome(service) == "unknown"
    assert len(house.aurora.imports()) == before + 1


@pytest.mark.parametrize("flight, outcome", [
    (0, "timed_out"), (1, "timed_out"), (2, "timed_out"), (3, "timed_out"), (4, "timed_out"),
    (CALL, "unknown")])
def test_silence_ends_at_the_deadline(house, service, proxy, flight, outcome):
    start(house, service, proxy, Fault(flight, "answer", "silence"),
          daemon="import-timeout = 2s")
    assert first_outcome(service) == outcome
